import { module, tsconfig } from './idioms.fixture.ts'

/** More of the same: the language, Node's own modules, and programs that jobs start. */
export const moreIdioms: Record<string, Record<string, string | Buffer>> = {
  'baseUrl of tsconfig.json, and several that it extends': {
    'package.json': module,
    'base.json': tsconfig({ baseUrl: '.' }),
    'decorated.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
    'tsconfig.json': '{ "extends": ["./base.json", "./decorated.json"] }',
    'lib/words.ts': "export const words: string = 'from the base'",
    'jobs/job.ts': `import { words } from 'lib/words'
const noted: string[] = []
const note = (_: object, name: string) => void noted.push(name)
class Job { @note words() { return words } }
export async function run() { return [new Job().words(), noted] }`,
  },
  'using, accessor, decorators of the standard, satisfies and types of imports': {
    'package.json': module,
    'lib/types.ts':
      'export interface Size { width: number }\nexport const size = 3\nexport type { Size as Same }',
    'jobs/job.ts': `import { Size, size } from '../lib/types'
import type { Same } from '../lib/types'
const closed: string[] = []
function open(name: string) { return { name, [Symbol.dispose]: () => void closed.push(name) } }
function loud<This, Args extends unknown[]>(method: (this: This, ...args: Args) => string, _: ClassMethodDecoratorContext) {
  return function (this: This, ...args: Args) { return method.call(this, ...args).toUpperCase() }
}
abstract class Shape { abstract area(): string }
class Box extends Shape {
  accessor width = size
  @loud area() { return 'area ' + this.width ** 2 }
}
export async function run() {
  { using first = open('first'); using second = open(first.name + ' second'); void second }
  const box = { width: size } satisfies Size as Same
  return [closed, new Box().area(), box.width!, [3, 1, 2].toSorted()]
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
  'an own HTTP server, and fetch': {
    'package.json': module,
    'jobs/job.ts': `import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
export async function run() {
  const server = createServer((request, response) => {
    response.setHeader('content-encoding', 'gzip').end(gzipSync('you asked for ' + request.url))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answer = await fetch('http://127.0.0.1:' + (server.address() as AddressInfo).port + '/a?b=1')
  const text = await answer.text()
  await new Promise(resolve => server.close(resolve).closeAllConnections())
  return [answer.status, text]
}`,
  },
  'node:sqlite, streams, and files of a folder': {
    'package.json': module,
    'lib/lines.txt': 'one\ntwo\nthree\n',
    'jobs/job.ts': `import { createReadStream } from 'node:fs'
import { glob, mkdir, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
export async function run() {
  const lines: string[] = []
  for await (const line of createInterface({ input: createReadStream(new URL('../lib/lines.txt', import.meta.url)) })) lines.push(line)
  await mkdir('data', { recursive: true })
  await rm('data/idiom.db', { force: true })
  const database = new DatabaseSync('data/idiom.db')
  database.exec('create table lines (text)')
  const insert = database.prepare('insert into lines values (?)')
  for (const line of lines) insert.run(line)
  const count = database.prepare('select count(*) as count, max(text) as last from lines').get()
  database.close()
  const found = await Array.fromAsync(glob('lib/*.txt'))
  return [count, found]
}`,
  },
  'time zones, languages and context across await': {
    'package.json': module,
    'jobs/job.ts': `import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
const context = new AsyncLocalStorage<string>()
export async function run() {
  const at = new Date(Date.UTC(2026, 2, 29, 1, 30))
  const local = ['Europe/Berlin', 'Asia/Tokyo', 'America/St_Johns'].map(timeZone => at.toLocaleString('de-DE', { timeZone }))
  const price = new Intl.NumberFormat('fr-FR', { style: 'currency', currency: 'EUR' }).format(1234.5)
  const kept = await context.run('kept', async () => { await setTimeout(1); return context.getStore() })
  return [local, price, kept, ['ä', 'z', 'a'].sort(new Intl.Collator('de').compare)]
}`,
  },
  "the repo's own package by its name, package.json, and modules by the folder": {
    'package.json':
      '{ "name": "my-jobs", "version": "1.2.3", "type": "module", "exports": { "./words": "./lib/words.ts" } }',
    'lib/words.ts': "export const words: string = 'by its own name'",
    'lib/data.json': '{ "kept": true }',
    'jobs/job.ts': `import { words } from 'my-jobs/words'
import { createRequire } from 'node:module'
import own from '../package.json' with { type: 'json' }
export async function run() {
  const fromHere = createRequire(process.cwd() + '/')
  const name = 'data'
  const late = await import(\`../lib/\${name}.json\`, { with: { type: 'json' } })
  return [words, own.version, fromHere('./lib/data.json'), late.default]
}`,
  },
  'export = and import = in CommonJS': {
    'package.json': '{ "type": "commonjs" }',
    'lib/tool.ts': 'class Tool { static version = 2; name(): string { return "tool" } }\nexport = Tool',
    'jobs/job.ts': `import Tool = require('../lib/tool')
export async function run() { return [new Tool().name(), Tool.version, require.main === module, module.exports.run === run] }`,
  },
  'a module that counts, loaded once however it is named': {
    'package.json': module,
    'lib/count.ts': 'let count = 0\nexport const next = (): number => ++count',
    'lib/again.ts': "export { next as again } from './count.js'",
    'jobs/job.ts': `import { next } from '../lib/count'
import { again } from '../lib/again.ts'
import * as all from '../lib/count.ts'
export async function run() { return [next(), again(), all.next(), (await import('../lib/count.js')).next()] }`,
  },
  'a job by export default, and one that register gets as a closure': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import task, { settings } from './jobs/job.ts'
for (const [id, text] of Object.entries(settings)) {
  jobRegistry.register({ id, cron: '@daily', func: () => task(text) })
}`,
    'jobs/job.ts': `export const settings = { 'job': 'first', other: 'second' }
export default async function (text: string) { return text }`,
  },
  'streams of the web, compression, and crypto': {
    'package.json': module,
    'jobs/job.ts': `import { createHash, randomUUID } from 'node:crypto'
export async function run() {
  const packed = new Blob(['hello '.repeat(100)]).stream().pipeThrough(new CompressionStream('gzip'))
  const text = await new Response(packed.pipeThrough(new DecompressionStream('gzip'))).text()
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('x'))
  return [text.length, Buffer.from(digest).toString('hex') === createHash('sha256').update('x').digest('hex'), randomUUID().length, structuredClone(new Map([[1, 2]])).get(1)]
}`,
  },
}
