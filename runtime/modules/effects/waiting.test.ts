import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { programRoot } from '../../../src/root.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { compileFiles } from '../compile.ts'
import { whatCanWait } from '../deferred.ts'
import { walkImports } from '../graph.ts'
import { listCode } from '../list.ts'

/** The specifiers that the manifest of a repo is read without. */
async function waiting(repo: string): Promise<string[]> {
  const paths = listCode(repo, 'data') ?? []
  const read = (path: string) => readFileSync(join(repo, path), 'utf8')
  const compiled = await compileFiles(repo, paths, { read, plugins: [] })
  const known = { files: new Map(compiled.map(file => [file.path, file])), aliases: [], own: {} }
  const graph = walkImports('manifest.ts', { ...known, isThere: () => false, hasPackage: () => true })
  const { deferred } = whatCanWait('manifest.ts', { ...known, graph })
  return deferred.map(({ stub }) => /import\("([^"]+)"\)/.exec(stub)?.[1] ?? '')
}

const manifest = `import { jobRegistry } from 'longhouse/jobs'
import { run } from './job'
jobRegistry.register({ id: 'job', cron: '@daily', func: run })`

/** Whether a module with this code waits; it also exports `run`. */
async function waits(t: TestContext, code: string, others: Record<string, string> = {}): Promise<boolean> {
  const repo = temporaryFolder(t)
  const files = { 'package.json': '{ "type": "module" }', 'manifest.ts': manifest, ...others }
  for (const [file, text] of Object.entries({ ...files, 'job.ts': `${code}\nexport const run = () => 1` })) {
    mkdirSync(dirname(join(repo, file)), { recursive: true })
    writeFileSync(join(repo, file), text)
  }
  return (await waiting(repo)).includes('./job')
}

test('all jobs of an ordinary repo wait: functions, constants, clients that packages make', async () => {
  const manifest = readFileSync(programRoot('bench/jobs-repo/manifest.ts'), 'utf8')
  const jobs = [...manifest.matchAll(/from '(\.\/jobs\/[^']+)'/g)].map(match => match[1])
  assert.equal(jobs.length, 22)
  assert.deepEqual(await waiting(programRoot('bench/jobs-repo')), jobs)
})

const plain = {
  'functions, classes and constants': `const limit = 3, names = ['a', 'b'].map(each => each.toUpperCase())
export class Report { total = 0; static kind = 'report'; add(n: number) { this.total += n; console.log(n) } }
async function save() { process.env.X = 'later' }
export const all = [limit, names, save, new Report(), new Map([[1, 2]]), Math.max(1, 2), { ...{ a: 1 } }]`,
  'enum and types':
    "enum Color { Red, Green = 'green' }\nexport interface A { b: Color }\nexport const red = Color.Red",
  'settings of the environment':
    "const key = process.env.KEY ?? 'none'\nexport const keys = [key, process.platform, process.cwd()]",
  'clients and schemas': `import OpenAI from 'openai'
import knex from 'knex'
import { z } from 'zod'
import pino from 'pino'
const client = new OpenAI({ apiKey: process.env.KEY }), db = knex({ client: 'pg' }), log = pino().child({ name: 'job' })
export const params = z.object({ a: z.string().default('x').transform(text => text.trim()) }).strict()
client.timeout = 3
client.on('error', () => {})`,
  'Node’s modules': `import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'
import { AsyncLocalStorage } from 'node:async_hooks'
const run2 = promisify(execFile)
const text = readFileSync(join(import.meta.dirname, 'a.txt'), 'utf8').split('\\n')
const storage = new AsyncLocalStorage<string>()`,
  'own lists and maps that are filled': `const list: number[] = []
list.push(1)
const map = new Map<string, () => number>()
map.set('a', () => 1)
for (const each of [1, 2]) list.push(each)
export const found = list.length > 2 ? map : null`,
  'a check that throws': "if (!process.env.KEY) throw new Error('KEY is missing')",
}

for (const [name, code] of Object.entries(plain)) {
  test(`waits: ${name}`, async t => assert.equal(await waits(t, code), true))
}

test('waits: functions of other files that only make something', async t => {
  const make =
    "import Stripe from 'stripe'\nexport function make(key = '') { return new Stripe(key) }\nexport { make as again }"
  const code =
    "import { make } from './make'\nimport { again } from './index'\nconst [one, other] = [make(), again('x')]"
  assert.equal(await waits(t, code, { 'make.ts': make, 'index.ts': "export { again } from './make'" }), true)
})

const noticed = {
  'a timer': 'setInterval(() => {}, 1000)',
  'a global': 'globalThis.x = 1',
  'a global without a declaration': '// @ts-expect-error\nx = 1',
  'the environment': "process.env['A'] ||= 'a'",
  'the environment, deleted': 'delete process.env.A',
  'the folder': "process.chdir('data')",
  'a prototype': 'Array.prototype.at = () => 1',
  'a listener of the process': "process.once('exit', () => {})",
  output: 'console.error(1)',
  'output by a function': 'const say = () => { console.log(1) }\nsay()',
  'output by a callback': 'const names = ["a"]\nnames.forEach(console.log)',
  'a file that is written': "import { writeFileSync } from 'node:fs'\nwriteFileSync('data/a', '')",
  'a program': "import { execSync } from 'node:child_process'\nexport const out = execSync('true')",
  'a package for itself': "import 'reflect-metadata'",
  'a package that is told something':
    "import dayjs from 'dayjs'\nimport utc from 'dayjs/plugin/utc'\ndayjs.extend(utc)",
  'a package that loads the environment':
    "import dotenv from 'dotenv'\nexport const { parsed } = dotenv.config()",
  'a package, by require': "require('dotenv').config()",
  'a member of a package': "import axios from 'axios'\naxios.defaults.timeout = 3",
  'a server': "import express from 'express'\nconst app = express()\napp.listen(3000)",
  'import() at the top level': "export const late = await import('./late')",
  'a function that is not known': 'const { a } = JSON.parse("{}")\na()',
  'a class from a function':
    'const made = (() => class { constructor() { process.env.A = "a" } })()\nnew made()',
  'a decorator': 'const mark = (value: unknown) => { globalThis.x = value }\n@mark class A {}',
  'what is ended at once': 'using ended = { [Symbol.dispose]() { process.env.A = "a" } }\nvoid ended',
  'a static getter': 'class Own { static get a() { process.env.A = "a"; return 1 } }\nconst a = Own.a',
  'a static setter': 'class Own { static set a(a: string) { process.env.A = a } }\nOwn.a = "a"',
  'a text of an object': 'const own = { toString() { process.env.A = "a"; return "" } }\nconst a = own + ""',
  'JSON of an object': 'const a = JSON.stringify({ toJSON: () => { process.env.A = "a" } })',
  'a trap of a proxy':
    'const own = new Proxy({} as { a?: 1 }, { get: () => { process.env.A = "a" } })\nconst { a } = own',
  'a getter that is described':
    'const own = Object.create(null, { a: { get: () => { process.env.A = "a" } } })\nconst { a } = own',
  'an object that Reflect makes':
    'class Own { constructor() { process.env.A = "a" } }\nReflect.construct(Own, [])',
  'a function of a function': 'function own() {}\nown.set = () => { process.env.A = "a" }\nown.set()',
  'a method that is called as one of a list':
    'class Own { map(a: string) { process.env.A = a } }\nconst own = new Own()\nconst a = own.map("a")',
  'a database': "import { DatabaseSync } from 'node:sqlite'\nconst own = new DatabaseSync('data/a.db')",
  'a database of a package':
    "import Database from 'better-sqlite3'\nconst own = new Database('data/a.db')\nown.exec('create table a (b)')",
  'output by a logger': "import pino from 'pino'\nconst log = pino()\nlog.info('loaded')",
  'a hook of asynchronous calls':
    "import { createHook } from 'node:async_hooks'\ncreateHook({ init: () => {} }).enable()",
  'a circle with the manifest': "import './manifest'",
  jobs: "import { jobRegistry } from 'longhouse/jobs'\njobRegistry.register({ id: 'a', cron: '@daily', func: () => 1 })",
}

for (const [name, code] of Object.entries(noticed)) {
  test(`is loaded at once: ${name}`, async t => assert.equal(await waits(t, code), false))
}

const noticedInOthers = {
  'a getter that counts': [
    "import { ids } from './lib'\nconst id = ids.next",
    'let count = 0\nexport const ids = { get next() { return ++count } }',
  ],
  'a getter that counts in its object': [
    "import { ids } from './lib'\nconst id = ids.next",
    'class Ids { count = 0; get next() { return ++this.count } }\nexport const ids = new Ids()',
  ],
  'an iterator that counts': [
    "import { ids } from './lib'\nconst [id] = ids",
    'let count = 0\nexport const ids = { *[Symbol.iterator]() { yield ++count } }',
  ],
  'a method that is called as one of a list': [
    "import { plan } from './lib'\nplan.at('8:00')",
    'export const plan = { times: [] as string[], at(time: string) { this.times.push(time) } }',
  ],
  'a method of what a function makes': [
    "import { make } from './lib'\nconst own = make()\nconst a = own.join()",
    'export const make = () => ({ join: () => { process.env.A = "a" } })',
  ],
  'a view of memory': [
    "import { memory } from './lib'\nconst view = new Uint8Array(memory)\nview[0] = 1",
    'export const memory = new ArrayBuffer(8)',
  ],
} satisfies Record<string, readonly [string, string]>

for (const [name, [code, lib]] of Object.entries(noticedInOthers)) {
  test(`is loaded at once: ${name}, of another file`, async t =>
    assert.equal(await waits(t, code, { 'lib.ts': lib }), false))
}

test('waits: getters, texts and lists of the repo that only make something', async t => {
  const lib = `export class Money {
  #text: string | undefined
  constructor(readonly amount: number) {}
  get text() { return (this.#text ??= this.amount.toFixed(2)) }
  toString() { return this.text }
  map(factor: number) { return new Money(this.amount * factor) }
}
export const price = new Money(3)`
  const code = `import { Money, price } from './lib'
const twice = price.map(2)
const texts = [\`\${twice}\`, price.text, new Money(4).toString()].map(text => text.trim()).join()`
  assert.equal(await waits(t, code, { 'lib.ts': lib }), true)
})

test('what only reads waits unless something changes after it', async t => {
  const reads = 'export const zone = process.env.TZ'
  assert.equal(await waits(t, reads), true)
  const changed = { 'manifest.ts': `${manifest}\nprocess.env.TZ = 'UTC'` }
  assert.equal(await waits(t, reads, changed), false)
  assert.equal(await waits(t, 'export const zone = "UTC"', changed), true)
  const places = `import path from 'node:path'
import { fileURLToPath } from 'node:url'
export const here = [path.join(import.meta.dirname, '..'), fileURLToPath(new URL('.', import.meta.url))]`
  assert.equal(await waits(t, places, changed), true)
  assert.equal(await waits(t, places.replace('path.join', 'path.resolve'), changed), false)
  const before = { 'manifest.ts': `import 'dotenv/config'\n${manifest}` }
  assert.equal(await waits(t, reads, before), true)
  const after = { 'manifest.ts': `${manifest}\nimport 'dotenv/config'` }
  assert.equal(await waits(t, reads, after), false)
})
