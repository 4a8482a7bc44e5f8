import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

const root = join(import.meta.dirname, '..')
const isClone = existsSync(join(root, '.git'))
/** As on a machine that has never seen Longhouse: its own Node and npm, and nothing of this checkout. */
const path = (process.env.PATH ?? '').split(delimiter).filter(folder => !folder.includes('node_modules'))

/** `npm start` in a terminal of its own: a group that Ctrl-C reaches as a whole. */
function npmStart(folder: string, dataRoot: string) {
  const startedAt = performance.now()
  const npm = spawn('npm', ['start'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: path.join(delimiter),
      HOME: process.env.HOME,
      LONGHOUSE_PORT: '0',
      LONGHOUSE_DATA_ROOT: dataRoot,
      PROVISIONER_DRIVER: 'process',
    },
  })
  let output = ''
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
  }
  const ended = new Promise<number | null>(resolve => npm.once('exit', resolve))
  return {
    npm,
    ended,
    group: -(npm.pid ?? 0),
    output: () => output,
    port: () =>
      eventually(
        'it says where to go',
        () => {
          if (npm.exitCode !== null) return -1
          return Number(/Longhouse runs at\s+http:\/\/control\.localhost:(\d+)/.exec(output)?.[1] ?? 0)
        },
        { withinMs: 150_000 },
      ),
    startedAt,
  }
}

const skip = isClone ? false : 'needs a git checkout: clone the repository'

// Longer than what it waits for, twice.
test('git clone and npm start work on the Node of the machine, with nothing else installed', {
  skip,
  timeout: 600_000,
}, async t => {
  const folder = join(temporaryFolder(t), 'longhouse')
  const dataRoot = temporaryFolder(t)
  execFileSync('git', ['clone', '--quiet', root, folder])
  for (const [round, signal] of [
    ['first', 'SIGINT'],
    ['second', 'SIGTERM'],
  ] as const) {
    const started = npmStart(folder, dataRoot)
    t.after(() => {
      try {
        process.kill(started.group, 'SIGKILL')
      } catch {
        // It is gone, as it should be.
      }
    })
    const port = await started.port()
    assert.ok(port > 0, started.output())
    t.diagnostic(`${round} start took ${Math.round(performance.now() - started.startedAt)} ms`)
    await eventually('it says where the token is', () => /admin-token/.test(started.output()))
    assert.equal((await ask({ port, host: `control.localhost:${port}`, path: '/health' })).status, 200)
    // Ctrl-C reaches every process in the terminal; a supervisor's TERM reaches npm alone.
    process.kill(signal === 'SIGINT' ? started.group : (started.npm.pid ?? 0), signal)
    await started.ended
    await eventually('nobody listens any more', () =>
      ask({ port, host: 'control.localhost' }).then(
        () => false,
        () => true,
      ),
    )
  }

  // The clone is installed and built by now: what is left is its command, on a repo elsewhere, without a network.
  const jobs = join(temporaryFolder(t), 'my jobs')
  cpSync(join(folder, 'jobs-template'), jobs, { recursive: true })
  const said = execFileSync(
    'node',
    [join(folder, 'scripts/longhouse.mjs'), 'run', 'daily-digest', '--json'],
    {
      cwd: jobs,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: path.join(delimiter), HOME: process.env.HOME },
    },
  )
  assert.equal(JSON.parse(said).status, 'succeeded')
})
