/**
 * From the save of one of 200 files until it is live and committed: a job's own file, and a file that half of the others
 * import. The repo has the 22 jobs and 15 packages of `bench/jobs-repo/` as well, and the packages are outside the build.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { builds } from './beside.fixture.ts'
import { pause, print } from './instance.fixture.ts'
import { startBench } from './shop.fixture.ts'

const rounds = Number(process.argv[2] ?? 20)
const count = 170
/** People save seconds apart. Meanwhile what is there is compiled ahead. */
const betweenMs = 1000
const bench = startBench()

/** Each file does some arithmetic with the one of a few before it, in about sixty lines. */
function manyFiles(): Record<string, string> {
  const files: Record<string, string> = {
    'many/shared.ts': 'export const rate: number = 0.19\n',
  }
  for (let index = 0; index < count; index++) {
    const before =
      index < 3 ? "import { rate } from './shared'" : `import { sum as rate } from './file-${index - 3}'`
    const steps = Array.from(
      { length: 50 },
      (_, step) =>
        `/** Step ${step}. */\nconst step${step} = (value: number): number => (value * ${step + 2}) % ${index + 7}\n`,
    )
    const calls = Array.from({ length: 50 }, (_, step) => `step${step}(${index})`).join(' + ')
    files[`many/file-${index}.ts`] =
      `${before}\n${steps.join('')}export const sum: number = Number(rate) + ${calls}\n`
  }
  files['jobs/heartbeat.ts'] = `import { sum } from '../many/file-${count - 1}'
export const run = () => sum
`
  return files
}

try {
  const all = []
  for (const { name, program } of builds()) {
    all.push({
      name,
      ...(await bench.openShop(program, manyFiles())),
      one: [] as number[],
      shared: [] as number[],
    })
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { session, jobs, one, shared } of all) {
      const save = (file: string) => session.save(() => appendFileSync(join(jobs, file), `// ${round}\n`))
      one.push(await save('jobs/heartbeat.ts'))
      await pause(betweenMs)
      shared.push(await save('many/shared.ts'))
      await pause(betweenMs)
    }
  }
  for (const { name, one, shared } of all) {
    print(`${name}: save of one of 200 files → live`, one.slice(1), { most: 250 })
    print(`${name}: the same, of one that others import`, shared.slice(1), { most: 250 })
  }
} finally {
  await bench.end()
}
