/**
 * From the save of one of 200 files until it is live and committed: a job's own file, and a file that half of the others
 * import. The repo has the 22 jobs and 15 packages of `bench/jobs-repo/` as well, and the packages are outside the build.
 * In a second repo, two jobs make their parameters by a package, in modules that import further ones: the manifest is read with them.
 */
import { appendFileSync, readFileSync } from 'node:fs'
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

/** The manifest without parameters: it is read without any package. */
const plainManifest = readFileSync(join(import.meta.dirname, 'jobs-repo/manifest.ts'), 'utf8')
  .replace(/, params as \w+/g, '')
  .replace(/, params: \w+/g, '')

try {
  const all = []
  for (const { name, program } of builds()) {
    all.push({
      name,
      plain: await bench.openShop(program, { ...manyFiles(), 'manifest.ts': plainManifest }),
      shop: await bench.openShop(program, manyFiles()),
      one: [] as number[],
      shared: [] as number[],
      withPackages: [] as number[],
    })
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { plain, shop, one, shared, withPackages } of all) {
      const save = async ({ session, jobs }: typeof plain, file: string) => {
        const took = await session.save(() => appendFileSync(join(jobs, file), `// ${round}\n`))
        await pause(betweenMs)
        return took
      }
      one.push(await save(plain, 'jobs/heartbeat.ts'))
      shared.push(await save(plain, 'many/shared.ts'))
      withPackages.push(await save(shop, 'jobs/heartbeat.ts'))
    }
  }
  for (const { name, one, shared, withPackages } of all) {
    print(`${name}: save of one of 200 files → live`, one.slice(1), { most: 250 })
    print(`${name}: the same, of one that others import`, shared.slice(1), { most: 250 })
    print(`${name}: one, with packages in parameters`, withPackages.slice(1), { most: 250 })
  }
} finally {
  await bench.end()
}
