import { type Idioms, module, tsconfig } from './repo.fixture.ts'

/** Threads, and programs that a job starts. */
export const ofPrograms: Idioms = {
  'arguments of the process, in a thread and a program too': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run } from './jobs/job'
const whileRead = process.argv.slice(2)
jobRegistry.register({ id: 'job', cron: whileRead.length === 0 ? '@daily' : 'not a cron', func: run })
`,
    'jobs/args.ts': `import { parentPort } from 'node:worker_threads'
parentPort ? parentPort.postMessage(process.argv.slice(2)) : process.send?.(process.argv.slice(2))`,
    'jobs/job.ts': `import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
export async function run() {
  const file = new URL('./args.ts', import.meta.url)
  const [thread] = await once(new Worker(file, { argv: ['a'] }), 'message')
  const [plain] = await once(new Worker(file), 'message')
  const [program] = await once(fork(file, ['b']), 'message')
  return [process.argv.slice(2), parseArgs({ allowPositionals: true }).positionals, thread, plain, program]
}`,
  },
  'a worker in TypeScript': {
    'package.json': module,
    'jobs/double.ts': 'export const double = (x: number): number => x * 2',
    'jobs/crunch.ts': `import { parentPort, workerData } from 'node:worker_threads'
import { double } from './double'
parentPort?.postMessage(double(workerData as number))`,
    'jobs/job.ts': `import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
export async function run() {
  const worker = new Worker(new URL('./crunch.ts', import.meta.url), { workerData: 21 })
  const [answer] = await once(worker, 'message')
  return answer
}`,
  },
  'child processes in TypeScript, by fork and by node': {
    'package.json': module,
    'jobs/double.ts': 'export const double = (x: number): number => x * 2',
    'jobs/child.ts': `import { double } from './double'
const answer: number = double(4)
if (process.send) process.send(answer)
else console.log(answer)`,
    'jobs/job.ts': `import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
export async function run() {
  const file = fileURLToPath(new URL('./child.ts', import.meta.url))
  const [forked] = await once(fork(file), 'message')
  const printed = execFileSync(process.execPath, [...process.execArgv, file], { encoding: 'utf8' })
  return [forked, printed.trim()]
}`,
  },
  'a worker of a text, and memory that threads share': {
    'package.json': module,
    'jobs/job.ts': `import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
export async function run() {
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const code = "const { parentPort, workerData } = require('node:worker_threads'); Atomics.add(workerData, 0, 5); parentPort.postMessage(process.cwd() !== '/')"
  const worker = new Worker(code, { eval: true, workerData: shared })
  const [inRepo] = await once(worker, 'message')
  await worker.terminate()
  return [Atomics.load(shared, 0), inRepo]
}`,
  },
  'a worker that imports by an alias, and ends with an error of a file': {
    'package.json': module,
    'tsconfig.json': tsconfig({ paths: { '@lib/*': ['./lib/*'] } }),
    'lib/fail.ts': "export function fail(): never {\n  throw new TypeError('from the worker')\n}",
    'jobs/worker.ts': "import { fail } from '@lib/fail'\nfail()",
    'jobs/job.ts': `import { Worker } from 'node:worker_threads'
import { join } from 'node:path'
export async function run() {
  const worker = new Worker(join(import.meta.dirname, 'worker.ts'))
  const error = await new Promise<Error>(resolve => worker.once('error', resolve))
  return [error.name, error.message, /at fail .*lib\\/fail\\.ts:2/.test(error.stack ?? '')]
}`,
  },
  'programs by a shell: node with a file in TypeScript, a script of the repo, pipes': {
    'package.json': module,
    'jobs/child.ts':
      'const sum: number = process.argv.slice(2).reduce((all, each) => all + Number(each), 0)\nconsole.log(sum)',
    'lib/count.sh': 'wc -l | tr -d " "\n',
    'jobs/job.ts': `import { exec, execFileSync, execSync, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
export async function run() {
  const { stdout } = await promisify(exec)('node jobs/child.ts 1 2 3')
  const piped = execSync("printf 'a\\\\nb\\\\n' | bash lib/count.sh", { encoding: 'utf8' })
  const inFolder = execFileSync('node', ['child.ts', '4'], { cwd: 'jobs', encoding: 'utf8' })
  const failed = spawnSync('node', ['-e', 'process.exit(3)'])
  return [stdout.trim(), piped.trim(), inFolder.trim(), failed.status]
}`,
  },
  'a program with --env-file': {
    'package.json': module,
    '.gitignore': 'node_modules/\n.env*\n',
    '.env': 'GREETING=hello\n',
    '.env.local': 'NAME="Ada"\n',
    'jobs/print.ts': 'console.log(JSON.stringify([process.env.GREETING, process.env.NAME]))',
    'jobs/job.ts': `import { execFileSync } from 'node:child_process'
export async function run() {
  const args = ['--env-file=.env', '--env-file=.env.local', '--env-file-if-exists=.env.none', 'jobs/print.ts']
  return JSON.parse(execFileSync('node', args, { encoding: 'utf8' }))
}`,
  },
  "git, and Node's own test runner, as programs": {
    'package.json': module,
    'lib/add.ts': 'export const add = (one: number, other: number): number => one + other',
    'lib/add.test.ts':
      "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { add } from './add.ts'\ntest('adds', () => assert.equal(add(1, 2), 3))",
    'jobs/job.ts': `import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
export async function run() {
  const cwd = mkdtempSync(join(tmpdir(), 'repo-'))
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd, encoding: 'utf8' }).trim()
  git('init', '--quiet')
  writeFileSync(join(cwd, 'words'), 'one\\n')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'First')
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const tests = spawnSync(process.execPath, ['--test', '--test-reporter=tap', 'lib/add.test.ts'], { encoding: 'utf8', env })
  return [git('log', '--format=%an %s'), git('show', 'HEAD:words'), tests.status, /^# pass 1$/m.test(tests.stdout)]
}`,
  },
}
