import { type Idioms, manifest, module } from './repo.fixture.ts'

/** ECMAScript and CommonJS: how files find each other. */
export const ofModules: Idioms = {
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
  'files by their whole paths, from a job and from a package, in a package that does not say what it is': {
    'package.json': '{}',
    'node_modules/finder/package.json': '{ "name": "finder", "main": "index.cjs" }',
    'node_modules/finder/index.cjs':
      'exports.find = name => import(name)\nexports.load = name => require(name)',
    'lib/words.ts': "export const words: string = 'found'\nexport default (): string => words",
    'lib/plain.js': "module.exports = { plain: 'found' }",
    'jobs/job.ts': `import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import finder from 'finder'
const place = (name: string) => join(process.cwd(), name)
export async function run() {
  const [words, plain] = [place('lib/words.ts'), place('lib/plain.js')]
  const found = [await import(words), await import(pathToFileURL(words).href), require(words), require(place('lib/words'))]
  const js = [await import(plain), await finder.find(plain), finder.load(plain), require(place('lib/plain'))]
  return [found.map(each => [each.words, typeof each.default]), js.map(each => [each.plain ?? each.default.plain]), finder.load(words).words]
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
  '.js names for .ts files, folders and missing endings': {
    'package.json': module,
    'lib/one.ts': 'export const one: number = 1',
    'lib/index.ts': "export * from './one.js'\nexport const two: number = 2",
    'jobs/job.ts': `import { one, two } from '../lib'
import { one as same } from '../lib/one.js'
export async function run() { return [one, two, same] }`,
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
  '.mts and .cts': {
    'manifest.ts': manifest('./jobs/job.mjs'),
    'package.json': '{ "type": "commonjs" }',
    'lib/one.mts': 'export const one: string = typeof import.meta.url',
    'lib/two.cts': 'exports.two = (x: number): number => x * 2\nexports.kind = typeof module',
    'jobs/job.mts': `import { one } from '../lib/one.mjs'
import { kind, two } from '../lib/two.cjs'
export async function run() { return [one, two(2), kind] }`,
  },
  'CommonJS of TypeScript with import and export': {
    'package.json': module,
    'lib/plain.cjs': 'exports.plain = true',
    'lib/old.cts': `import { plain } from './plain.cjs'
export const old: string = typeof module
export default plain`,
    'lib/whole.cts': 'const whole = () => "whole"\nexport = { whole }',
    'jobs/job.ts': `import { createRequire } from 'node:module'
import all, { old } from '../lib/old.cjs'
import whole from '../lib/whole.cts'
const load = createRequire(import.meta.url)
export async function run() { return [all, old, whole.whole(), load('../lib/old.cts').default] }`,
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
}
