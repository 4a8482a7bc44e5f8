// What V8 makes of the runner's program, of all functions that a run needs, kept when Longhouse is built: by a run of the
// starter job. A runner could not keep it by itself, because it also runs customers' code.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerOf } from './answer-of.mjs'

/** `dist` holds the built programs and the starter jobs; what is made goes to `dist/runner-code/`. */
export async function buildRunnerCode(dist) {
  const volume = realpathSync(mkdtempSync(join(tmpdir(), 'longhouse-runner-')))
  try {
    const code = { build: join(volume, 'builds/starter'), repo: join(volume, 'jobs') }
    cpSync(join(dist, 'starter'), code.build, { recursive: true })
    cpSync(join(dist, 'jobs-template'), code.repo, { recursive: true })
    const folder = join(dist, 'runner-code')
    mkdirSync(folder)
    const { version, versions, arch } = process
    await run(dist, code, join(folder, `${version}-${versions.v8}-${arch}`))
  } finally {
    rmSync(volume, { recursive: true, force: true })
  }
}

/** Runs the starter job. Its own jobs need not be kept from anything, but the code is that of a run with permissions. */
async function run(dist, code, file) {
  const allowed = ['addons', 'child-process', 'ffi', 'net', 'wasi', 'worker', 'fs-read=*', 'fs-write=*']
  const start = { reach: { read: ['/'], write: ['/'] }, waits: false, code, endsWith: process.pid }
  const child = spawn(
    process.execPath,
    [
      '--permission',
      ...allowed.map(name => `--allow-${name}`),
      '--no-warnings',
      `--require=${join(import.meta.dirname, 'keep-runner-code.cjs')}`,
      join(dist, 'runner.cjs'),
      JSON.stringify(start),
    ],
    {
      cwd: dist,
      env: { PATH: process.env.PATH, LONGHOUSE_PROCESS: 'build', LONGHOUSE_RUNNER_CODE: file },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text
  })
  const run = { id: 'run_build', slot: null, attempt: 1, trigger: 'manual' }
  const request = { ...code, jobId: 'daily-digest', params: {}, secrets: {}, run }
  const report = await answerOf(child, request)
  if (!report.startsWith('{"result"')) throw new Error(`the starter job does not run: ${report}${said}`)
}
