import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startInstance } from '../engine.fixture.ts'
import { runInClone } from './clone.fixture.ts'

const manifest = (from = './jobs/job') => `import { jobRegistry } from 'longhouse/jobs'
import { run } from '${from}'

jobRegistry.register({ id: 'job', cron: '@daily', func: run })
`
const module = '{ "type": "module" }'
const strict = {
  compilerOptions: {
    strict: true,
    module: 'preserve',
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    noEmit: true,
  },
}
const tsconfig = (options: object) =>
  JSON.stringify({ compilerOptions: { ...strict.compilerOptions, ...options } })

/** Each is a repo with a job `job`; what it returns is the same here and with tsx in a clone. */
const idioms: Record<string, Record<string, string>> = {
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
}

for (const [name, files] of Object.entries(idioms)) {
  test(`runs as in a clone: ${name}`, async t => {
    const all = { 'manifest.ts': manifest(), ...files }
    const { run, engine } = await startInstance(t, { files: all })
    const [here, there] = await Promise.all([run('job'), runInClone(t, all)])
    assert.equal(here.error, null, `${here.error?.message} ${here.error?.stack}`)
    assert.deepEqual(here.result, there)
    assert.equal(engine.manifest().status, 'ok')
  })
}
