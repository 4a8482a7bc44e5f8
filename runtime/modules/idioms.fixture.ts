export const manifest = (from = './jobs/job') => `import { jobRegistry } from 'longhouse/jobs'
import { run } from '${from}'

jobRegistry.register({ id: 'job', cron: '@daily', func: run })
`
export const module = '{ "type": "module" }'
const strict = {
  compilerOptions: {
    strict: true,
    module: 'preserve',
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    noEmit: true,
  },
}
export const tsconfig = (options: object) =>
  JSON.stringify({ compilerOptions: { ...strict.compilerOptions, ...options } })

/** Each is a repo with a job `job`; what it returns is the same here and with tsx in a clone. */
export const idioms: Record<string, Record<string, string | Buffer>> = {
  'a file beside the code, by import.meta.dirname and import.meta.url': {
    'package.json': module,
    'jobs/words.txt': 'hello',
    'jobs/job.ts': `import { readFileSync } from 'node:fs'
import { join } from 'node:path'
export async function run() {
  return [readFileSync(join(import.meta.dirname, 'words.txt'), 'utf8'), readFileSync(new URL('./words.txt', import.meta.url), 'utf8')]
}`,
  },
  '__dirname and require in a package that does not say what it is': {
    'package.json': '{}',
    'jobs/words.txt': 'hello',
    'jobs/job.ts': `import { join, basename } from 'node:path'
export async function run() {
  const { readFileSync } = require('node:fs')
  return [readFileSync(join(__dirname, 'words.txt'), 'utf8'), basename(__filename)]
}`,
  },
  'default exports in a package that does not say what it is': {
    'package.json': '{}',
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import job, { words } from './jobs/job'
import * as all from './jobs/job'
import Settings from './jobs/settings'
if (all.default !== job || words.length !== 2 || new Settings().name !== 'settings') throw new Error('not the exports')
jobRegistry.register({ id: 'job', cron: '@daily', func: job })
`,
    'jobs/settings.ts': "export default class Settings { name = 'settings' }",
    'jobs/loop.ts': "import job from './job'\nexport default { calls: () => typeof job }",
    'jobs/job.ts': `import Settings from './settings'
import loop from './loop'
export const words = ['one', 'two']
export default async () => {
  const later = await import('./settings')
  const { default: required } = require('./settings')
  return [new Settings().name, loop.calls(), required === Settings, typeof later]
}`,
  },
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
  'open files: flushed, their mode and times; links within data/; in a thread and a program too': {
    'package.json': module,
    'jobs/files.ts': `import fs, { fsyncSync } from 'node:fs'
import { appendFile, open, readFile, symlink, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
export async function files(name: string) {
  const at = 'data/' + name
  fs.writeFileSync(at, 'one', { flush: true })
  await writeFile(at, 'two', { flush: true })
  await appendFile(at, 'three', { flush: true })
  await promisify(fs.writeFile)(at + '-2', Buffer.from('four'), { flush: true })
  const fd = fs.openSync(at, 'r+')
  fsyncSync(fd)
  fs.fdatasyncSync(fd)
  fs.fchmodSync(fd, '640')
  fs.fchownSync(fd, fs.fstatSync(fd).uid, fs.fstatSync(fd).gid)
  await promisify(fs.futimes)(fd, 1.5, new Date(2500))
  await promisify(fs.fsync)(fd)
  const { mode, atimeMs, mtimeMs } = fs.fstatSync(fd)
  fs.closeSync(fd)
  const handle = await open(at, 'r+')
  await handle.sync()
  await handle.datasync()
  await handle.chmod(0o600)
  await handle.utimes(new Date(1000), 3)
  const later = await handle.stat()
  await handle.close()
  fs.symlinkSync(name, at + '-link')
  await symlink('../' + at, at + '-other')
  await promisify(fs.symlink)(process.cwd() + '/' + at, at + '-third')
  const folder = fs.openSync('data', 'r')
  fs.fsyncSync(folder)
  fs.closeSync(folder)
  const failure = (work: () => void) => { try { work() } catch (error) { return (error as { code: string }).code } }
  const failures = [failure(() => fs.fsyncSync(fd + 900)), failure(() => fs.symlinkSync(name, at + '-link'))]
  const text = await Promise.all(['', '-2', '-link', '-other', '-third'].map(each => readFile(at + each, 'utf8')))
  return [mode, atimeMs, mtimeMs, later.mode, later.atimeMs, later.mtimeMs, fs.readlinkSync(at + '-link'), failures, text]
}`,
    'jobs/elsewhere.ts': `import { parentPort } from 'node:worker_threads'
import { files } from './files'
const found = await files(parentPort ? 'thread' : 'program')
parentPort ? parentPort.postMessage(found) : process.send?.(found)`,
    'jobs/job.ts': `import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { files } from './files'
export async function run() {
  const file = new URL('./elsewhere.ts', import.meta.url)
  const [thread] = await once(new Worker(file), 'message')
  const [program] = await once(fork(file), 'message')
  return [await files('own'), thread, program]
}`,
  },
  'packages and files that are optional, or named in import() only': {
    'package.json': module,
    'jobs/lacking.ts': "import 'no-such-dependency'",
    'jobs/job.ts': `const codeOf = (importing: Promise<unknown>) => importing.then(() => 'there', (error: { code?: string }) => error.code)
export async function run() {
  return Promise.all([
    codeOf(import('no-such-optional')),
    codeOf(import('no-such-' + 'package')),
    codeOf(import('@no/such/part')),
    codeOf(import('./no-such-file')),
    codeOf(import('./lacking')),
  ])
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
  'jobs found by readdir and import()': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
for (const name of readdirSync(join(import.meta.dirname, 'tasks')).sort()) {
  const { default: task } = await import('./tasks/' + name)
  jobRegistry.register(task)
}`,
    'tasks/a.ts': `const job: { id: string; cron: string; func: () => Promise<string> } = { id: 'job', cron: '@daily', func: async () => 'found' }
export default job`,
    'tasks/b.ts': `export default { id: 'other', cron: '@daily', func: async () => 'other' }`,
  },
  'paths and baseUrl of tsconfig.json, and of what it extends': {
    'package.json': module,
    'tsconfig.base.json': tsconfig({ paths: { '@lib/*': ['./lib/*'], config: ['./lib/config.ts'] } }),
    'tsconfig.json': '{\n  // comments are allowed\n  "extends": "./tsconfig.base.json",\n}',
    'lib/words.ts': "export const words: string = 'aliased'",
    'lib/config.ts': 'export const config = { a: 1 }',
    'jobs/job.ts': `import { words } from '@lib/words'
import { config } from 'config'
export async function run() { return [words, config] }`,
  },
  '.js names for .ts files, folders and missing endings': {
    'package.json': module,
    'lib/one.ts': 'export const one: number = 1',
    'lib/index.ts': "export * from './one.js'\nexport const two: number = 2",
    'jobs/job.ts': `import { one, two } from '../lib'
import { one as same } from '../lib/one.js'
export async function run() { return [one, two, same] }`,
  },
  'enum, namespace, parameter properties and decorators': {
    'package.json': module,
    'tsconfig.json': tsconfig({ experimentalDecorators: true }),
    'jobs/job.ts': `enum Colour { Red = 'red', Blue = 'blue' }
const enum Size { Small = 1 }
namespace Shapes { export const corners = 4 }
const seen: string[] = []
function noted(_target: object, name: string) { seen.push(name) }
class Box { constructor(readonly width: number) {} @noted area() { return this.width ** 2 } }
export async function run() { return [Colour.Blue, Size.Small, Shapes.corners, new Box(3).area(), seen] }`,
  },
  'await at the top level, and dynamic import': {
    'package.json': module,
    'lib/late.ts': 'export const late: string = await Promise.resolve("late")',
    'jobs/job.ts': `const first = await Promise.resolve(1)
export async function run() { const { late } = await import('../lib/late'); return [first, late] }`,
  },
  'JSON with and without attributes, and by require': {
    'package.json': module,
    'jobs/data.json': '{ "name": "x", "list": [1, 2] }',
    'jobs/job.ts': `import data from './data.json'
import same from './data.json' with { type: 'json' }
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
export async function run() { return [data, same, require('./data.json')] }`,
  },
  'createRequire, require of TypeScript and of a computed name': {
    'package.json': module,
    'lib/tool.cts': 'module.exports = { tool: (x: number): number => x + 1 }',
    'lib/mod.ts': 'export const mod: string = "mod"',
    'jobs/job.ts': `import { createRequire } from 'node:module'
const load = createRequire(import.meta.url)
export async function run() {
  const name = ['..', 'lib', 'tool'].join('/')
  return [load(name + '.cts').tool(1), load('../lib/mod.ts').mod]
}`,
  },
  'a CommonJS repo': {
    'package.json': '{ "type": "commonjs" }',
    'lib/old.js': "exports.old = () => 'old'",
    'jobs/job.ts': `import { old } from '../lib/old'
import fs = require('node:fs')
export async function run() { return [old(), typeof fs.readFileSync, typeof module] }`,
  },
  'a stack names the function, the file and the line': {
    'package.json': module,
    'jobs/job.ts': `interface Gone { with: string; comments: number }

/** Words. */
export async function run() {
  try {
    fail({ with: 'x', comments: 1 })
  } catch (error) {
    return /at (\\w+) .*(jobs\\/job\\.ts:\\d+)/.exec((error as Error).stack ?? '')?.slice(1)
  }
}

function fail(gone: Gone): never {
  throw new Error(gone.with)
}`,
  },
  'a job that writes beside its code': {
    'package.json': module,
    'jobs/job.ts': `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
export async function run() {
  const file = join(import.meta.dirname, '../data/out.txt')
  writeFileSync(file, 'kept')
  return [readFileSync('data/out.txt', 'utf8'), process.cwd() === join(import.meta.dirname, '..')]
}`,
  },
  'a wasm module, imported and compiled by hand': {
    'package.json': module,
    'jobs/job.ts': `import { readFileSync } from 'node:fs'
// @ts-expect-error: TypeScript knows no types of it.
import { add } from '../lib/add.wasm'
export async function run() {
  const { instance } = await WebAssembly.instantiate(readFileSync(new URL('../lib/add.wasm', import.meta.url)))
  return [add(1, 2), (instance.exports.add as typeof add)(3, 4)]
}`,
  },
  '#imports of package.json': {
    'package.json': `{ "type": "module", "imports": { "#lib/*": "./lib/*.ts", "#config": { "default": "./config.json" } } }`,
    'lib/words.ts': "export const words: string = 'by a number sign'",
    'config.json': '{ "a": 1 }',
    'jobs/job.ts': `import { words } from '#lib/words'
import config from '#config' with { type: 'json' }
export async function run() { return [words, config, (await import('#lib/words')).words] }`,
  },
  'import.meta.resolve': {
    'package.json': module,
    'lib/words.ts': "export const words: string = 'resolved'",
    'jobs/job.ts': `import { basename } from 'node:path'
export async function run() {
  const found = import.meta.resolve('../lib/words.ts')
  return [basename(found), (await import(found)).words, import.meta.resolve('node:fs')]
}`,
  },
  'JSX with a factory of its own': {
    'package.json': module,
    'tsconfig.json': tsconfig({ jsx: 'react', jsxFactory: 'h' }),
    'lib/h.ts': `export const h = (tag: string, given: object | null, ...inside: unknown[]): string =>
  '<' + tag + Object.entries(given ?? {}).map(([name, value]) => ' ' + name + '="' + value + '"').join('') + '>' + inside.join('') + '</' + tag + '>'`,
    'jobs/mail.tsx': `import { h } from '../lib/h'
export const mail = (name: string) => <p class="hello">Hello <b>{name}</b></p>`,
    'jobs/job.ts': `import { mail } from './mail'
export async function run() { return mail('Ada') }`,
  },
  'JSX with a runtime of its own': {
    'package.json': '{ "type": "module", "imports": { "#jsx/jsx-runtime": "./jsx/index.ts" } }',
    'tsconfig.json': tsconfig({ jsx: 'react-jsx', jsxImportSource: '#jsx' }),
    'jsx/index.ts':
      "export const jsx = (tag: string, { children = [] }: any) => tag + '(' + children + ')'\nexport const jsxs = jsx",
    'jobs/job.tsx': 'export async function run() { return <p>Hello <b>Ada</b></p> }',
  },
  '.mts and .cts': {
    'manifest.ts': manifest('./jobs/job.mjs'),
    'package.json': '{ "type": "commonjs" }',
    'lib/one.mts': 'export const one: string = typeof import.meta.url',
    'lib/two.cts': 'exports.two = (x: number): number => x * 2\nexports.kind = typeof module',
    'jobs/job.mts': `import { one } from '../lib/one.mjs'
import { kind, two } from '../lib/two.cjs'
export async function run() { return [one, two(2), kind] }`,
  },
  'circular imports': {
    'package.json': module,
    'lib/even.ts':
      "import { odd } from './odd'\nexport const even = (x: number): boolean => x === 0 || odd(x - 1)",
    'lib/odd.ts':
      "import { even } from './even'\nexport const odd = (x: number): boolean => x !== 0 && even(x - 1)",
    'jobs/job.ts': `import { even } from '../lib/even'
export async function run() { return [even(10), even(7)] }`,
  },
  'circular imports of CommonJS': {
    'package.json': '{}',
    'lib/a.ts': "import { b } from './b'\nexport const a = 'a'\nexport const both = () => a + b()",
    'lib/b.ts': "import { a } from './a'\nexport const b = () => 'b' + a",
    'jobs/job.ts': `import { both } from '../lib/a'
export async function run() { return both() }`,
  },
  'node:test in a job': {
    'package.json': module,
    'jobs/job.ts': `import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
export async function run() {
  const called = mock.fn((x: number) => x + 1)
  await test('adds', () => assert.equal(called(1), 2))
  return called.mock.callCount()
}`,
  },
  '.env, by Node and by hand': {
    'package.json': module,
    '.gitignore': 'node_modules/\n.env\n',
    '.env': 'API_TOKEN="from the file"\nOTHER=2\n',
    'jobs/job.ts': `import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
export async function run() {
  process.loadEnvFile()
  return [process.env.API_TOKEN, parseEnv(readFileSync('.env', 'utf8')).OTHER]
}`,
  },
  'a folder of a monorepo': {
    'package.json': '{ "name": "all", "private": true }',
    'tsconfig.json': tsconfig({ paths: { '@all/*': ['./libs/*/index.ts'], '~/*': ['./apps/jobs/src/*'] } }),
    'manifest.ts': manifest('./apps/jobs/src/job'),
    'apps/jobs/package.json': module,
    'apps/jobs/src/words.ts': 'export const words: string = import.meta.url.slice(-8)',
    'apps/jobs/src/job.ts': `import { shared } from '@all/shared'
import { words } from '~/words'
export async function run() { return [words, shared] }`,
    'libs/shared/package.json': '{ "type": "commonjs" }',
    'libs/shared/index.ts': "import { deep } from './inner/deep'\nexport const shared = deep",
    'libs/shared/inner/deep.ts': 'export const deep: string = typeof module',
  },
}

/** `add(i32, i32): i32` */
export const addWasm = Buffer.from('AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=', 'base64')

/** The same for packages that lie in the repo, which npm links without a registry. */
export const ownPackages: Record<string, Record<string, string>> = {
  'workspaces in TypeScript': {
    'package.json': `{ "type": "module", "workspaces": ["packages/*"], "dependencies": { "words": "*" } }`,
    'packages/words/package.json': `{ "name": "words", "version": "1.0.0", "type": "module", "exports": { ".": "./src/index.ts", "./loud": "./src/loud.ts" }, "dependencies": { "tool": "*" } }`,
    'packages/words/src/index.ts': "import { tool } from 'tool'\nexport const words: string = tool('words')",
    'packages/words/src/loud.ts':
      "import { words } from 'words'\nexport const loud = (): string => words.toUpperCase()",
    'packages/tool/package.json': `{ "name": "tool", "version": "1.0.0", "main": "index.js" }`,
    'packages/tool/index.js': "exports.tool = text => text + '!'",
    'jobs/job.ts': `import { words } from 'words'
import { loud } from 'words/loud'
export async function run() { return [words, loud()] }`,
  },
  'a package by file:, with a file beside its code': {
    'package.json': `{ "type": "module", "dependencies": { "own": "file:./packages/own" } }`,
    'packages/own/package.json': `{ "name": "own", "version": "1.0.0", "main": "./index.cjs" }`,
    'packages/own/index.cjs':
      "exports.read = () => require('fs').readFileSync(require('path').join(__dirname, 'words.txt'), 'utf8')",
    'packages/own/words.txt': 'beside',
    'jobs/job.ts': `import { read } from 'own'
import { createRequire } from 'node:module'
const name = ['o', 'wn'].join('')
export async function run() { return [read(), createRequire(import.meta.url)(name).read()] }`,
  },
}
