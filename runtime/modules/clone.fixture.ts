import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { programRoot } from '../../src/root.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { installSdk } from '../manifest/offered-sdk.ts'

/** Runs a job of the repo in this process: what stands beside the instance in every comparison. */
const runJob = `import './manifest.ts'
const job = globalThis[Symbol.for('longhouse.registered')].find(each => each.job.id === 'job').job
const { func } = job
const state = new Map()
func({ params: {}, log: console.log, state: { get: async name => state.get(name) ?? null, set: async (name, value) => void state.set(name, value) } })
  .then(result => { process.stdout.write('\\nRESULT ' + (JSON.stringify(result) ?? null)); process.exit(0) })
`

/** A clone of the jobs repo with \`longhouse/jobs\` installed, where \`tsx\` runs the job \`job\`; answers with its result. */
export async function runInClone(
  t: TestContext,
  files: Record<string, string>,
  modules?: string,
): Promise<unknown> {
  const dir = temporaryFolder(t)
  for (const [file, content] of Object.entries({ ...files, 'run-job.mts': runJob })) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), content)
  }
  mkdirSync(join(dir, 'data'), { recursive: true })
  if (modules !== undefined && existsSync(modules))
    cpSync(modules, join(dir, 'node_modules'), { recursive: true })
  installSdk(dir)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [programRoot('node_modules/tsx/dist/cli.mjs'), 'run-job.mts'],
    { cwd: dir },
  )
  return JSON.parse(stdout.slice(stdout.lastIndexOf('RESULT ') + 7))
}
