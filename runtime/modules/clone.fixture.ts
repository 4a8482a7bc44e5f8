import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { programRoot } from '../../src/root.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { installSdk } from '../manifest/offered-sdk.ts'

const answerFile = 'answer.json'

/** What a script in a clone ends with. */
const answer = `import { writeFileSync } from 'node:fs'
const here = process.cwd()
function answer(value) {
  writeFileSync(here + '/${answerFile}', JSON.stringify(value))
  process.exit(0)
}
`

/** Runs a job of the repo in this process: what stands beside the instance in every comparison. */
const runJob = `import './manifest.ts'
const job = globalThis[Symbol.for('longhouse.registered')].find(each => each.job.id === 'job').job
const { func } = job
const state = new Map()
func({ params: {}, log: console.log, state: { get: async name => state.get(name) ?? null, set: async (name, value) => void state.set(name, value) } })
  .then(result => {
    const jobs = globalThis[Symbol.for('longhouse.registered')].map(({ job: { id, cron } }) => ({ id, cron }))
    answer({ result: result ?? null, jobs })
  })
`

/** What running the job `job` showed. */
export interface Outcome {
  result: unknown
  /** What the manifest registered. */
  jobs: { id: string; cron: string }[]
  printed: string
}

/** Runs each job of the repo, one after the other. */
const runAllJobs = `import './manifest.ts'
const outcomes = {}
for (const { job } of globalThis[Symbol.for('longhouse.registered')]) {
  const state = new Map()
  const context = { params: {}, log: console.log, state: { get: async name => state.get(name), set: async (name, value) => void state.set(name, value) } }
  try { outcomes[job.id] = { result: (await job.func(context)) ?? null } }
  catch (error) { outcomes[job.id] = { error: String(error.message) } }
}
answer(outcomes)
`

/**
 * A clone of the jobs repo with `longhouse/jobs` installed, where `tsx` runs the job `job`; after `npm install` where
 * `installs` says so.
 */
export async function outcomeInClone(
  t: TestContext,
  files: Record<string, string | Buffer>,
  { installs = false } = {},
): Promise<Outcome> {
  const { answer, printed } = await runByTsx(t, runJob, files, installs ? installByNpm : undefined)
  return { ...(answer as Omit<Outcome, 'printed'>), printed: printed.trim() }
}

/** The result of the job in a clone. */
export async function runInClone(t: TestContext, files: Record<string, string | Buffer>): Promise<unknown> {
  return (await outcomeInClone(t, files)).result
}

/** The same after `npm install`. */
export async function runInstalledInClone(
  t: TestContext,
  files: Record<string, string | Buffer>,
): Promise<unknown> {
  return (await outcomeInClone(t, files, { installs: true })).result
}

/** The same for every job of the manifest; answers with their results, or with why they failed. */
export async function runAllInClone(
  t: TestContext,
  files: Record<string, string | Buffer>,
  modules: string,
): Promise<Record<string, { result?: unknown; error?: string }>> {
  const { answer } = await runByTsx(t, runAllJobs, files, async dir => {
    if (existsSync(modules)) await copyFolder(modules, join(dir, 'node_modules'))
  })
  return answer as Record<string, { result?: unknown; error?: string }>
}

async function runByTsx(
  t: TestContext,
  script: string,
  files: Record<string, string | Buffer>,
  install?: (dir: string) => Promise<void>,
): Promise<{ answer: unknown; printed: string }> {
  const dir = temporaryFolder(t)
  for (const [file, content] of Object.entries({ ...files, 'run-job.mts': answer + script })) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), content)
  }
  mkdirSync(join(dir, 'data'), { recursive: true })
  await install?.(dir)
  installSdk(dir)
  // In one stream, as in the log of a run.
  const { stdout } = await promisify(execFile)(
    '/bin/sh',
    [
      '-c',
      'exec "$0" "$@" 2>&1',
      process.execPath,
      programRoot('node_modules/tsx/dist/cli.mjs'),
      'run-job.mts',
    ],
    { cwd: dir },
  )
  return { answer: JSON.parse(readFileSync(join(dir, answerFile), 'utf8')), printed: stdout }
}

async function installByNpm(dir: string): Promise<void> {
  const npm = programRoot('node_modules/npm/bin/npm-cli.js')
  const args = ['install', '--no-audit', '--no-fund', '--cache', join(dir, '.cache')]
  await promisify(execFile)(process.execPath, [npm, ...args], { cwd: dir })
}

/** By hard links where they can be made: packages have thousands of files. */
async function copyFolder(from: string, to: string): Promise<void> {
  const linked = await promisify(execFile)('cp', ['-al', realpathSync(from), to]).then(
    () => true,
    () => false,
  )
  if (linked) return
  rmSync(to, { recursive: true, force: true })
  cpSync(realpathSync(from), to, { recursive: true })
}
