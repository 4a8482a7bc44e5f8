import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry, startInstance } from '../../engine.fixture.ts'
import { packageInWords } from './package-words.ts'

const at = (name: string, code: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
  [`node_modules/${name}/index.js`]: code,
})

const bindings = `module.exports = name => {
  throw new Error('Could not locate the bindings file. Tried:\\n → ' + require('path').join(__dirname, '../store/build/' + name))
}`

const files = {
  'package.json': '{ "type": "module" }',
  ...at('bindings', bindings),
  ...at(
    'store',
    "const bindings = require('bindings')\nmodule.exports = class Store { constructor() { bindings('store.node') } }",
  ),
  ...at('eager', "require('bindings')('eager.node')"),
  ...at('wrapper', "module.exports = require('eager')"),
  ...at('late', "exports.start = () => setImmediate(() => { throw new Error('lost the connection') })"),
  'jobs/when-called.ts': `import Store from 'store'

interface Options { name: string }

export async function open(options: Options = { name: 'x' }) {
  return new Store(options)
}`,
  'jobs/when-loaded.ts': `interface Nothing { at: 'all' }

import { type Server } from 'node:http'
import wrapper from 'wrapper'
export async function load(server?: Server): Promise<Nothing> { return wrapper(server) }`,
  'jobs/later.ts': `export async function wait() {
  const { start } = await import('late')
  start()
  await new Promise(resolve => setTimeout(resolve, 10_000))
}`,
  'manifest.ts': `${registry}import { load } from './jobs/when-loaded'
import { open } from './jobs/when-called'
import { wait } from './jobs/later'
jobRegistry.register({ id: 'called', cron: '@daily', func: open })
jobRegistry.register({ id: 'loaded', cron: '@daily', func: load })
jobRegistry.register({ id: 'later', cron: '@daily', func: wait })
`,
}

test('an error of a package names the line of the repo that leads to it, and says what to do', async t => {
  const { run, engine, write } = await startInstance(t, { files })
  assert.deepEqual(engine.manifest().errors, [])

  const called = await run('called')
  assert.match(
    called.error?.message ?? '',
    /^the native part of store is not there.*"allowScripts": \{ "store": true \}/,
  )
  assert.match(called.error?.stack ?? '', /at open \(jobs\/when-called\.ts:6:\d+\)/)

  const loaded = await run('loaded')
  assert.match(loaded.error?.message ?? '', /^the native part of store is not there/)
  assert.match(loaded.error?.stack ?? '', /at import 'wrapper' \(jobs\/when-loaded\.ts:4:1\)/)

  const later = await run('later')
  assert.equal(later.error?.message, 'lost the connection')
  assert.match(later.error?.stack ?? '', /at import 'late' \(jobs\/later\.ts:2:1\)/)

  write(
    'manifest.ts',
    `${registry}import wrapper from 'wrapper'\njobRegistry.register({ id: wrapper.id, cron: '@daily', func: () => 1 })`,
  )
  await engine.reload()
  const [error] = engine.manifest().errors
  assert.deepEqual([error?.file, error?.line], ['manifest.ts', 2])
  assert.match(error?.message ?? '', /^the native part of store is not there/)
})

test('an error deep in a package names the line of the repo above it, in a run, a thread and the manifest', async t => {
  const down = "const down = n => { if (n === 0) throw new Error('at the bottom'); return [down(n - 1)] }\n"
  const register = (id: string, func: string) =>
    `jobRegistry.register({ id: '${id}', cron: '@daily', func: ${func} })\n`
  const jobs = `${registry}import * as all from './jobs/deep'\n${['fall', 'later', 'thread', 'short'].map(name => register(name, `all.${name}`)).join('')}`
  const { run, engine, write } = await startInstance(t, {
    files: {
      'package.json': '{ "type": "module" }',
      ...at(
        'deep',
        `${down}exports.start = () => down(30)\nexports.later = async () => { await 1; down(30) }`,
      ),
      'manifest.ts': jobs,
      'jobs/falls.ts': "import { start } from 'deep'\nstart()",
      'jobs/deep.ts': `import { Worker } from 'node:worker_threads'
import { later as fail, start } from 'deep'
export async function fall() { start() }
export async function later() { await fail() }
export async function thread() { await new Promise((_, reject) => new Worker(new URL('./falls.ts', import.meta.url)).once('error', reject)) }
export async function short() { Error.stackTraceLimit = 3; start() }`,
    },
  })
  const places = {
    fall: /\n {4}… \d+ lines of packages\n {4}at fall \(jobs\/deep\.ts:3:\d+\)/,
    later: /\n {4}at async later \(jobs\/deep\.ts:4:\d+\)/,
    thread: /\n {4}at (<anonymous> \()?jobs\/falls\.ts:2:\d+/,
  }
  for (const [id, place] of Object.entries(places))
    assert.match((await run(id)).error?.stack ?? '', place, id)
  assert.equal((await run('short')).error?.stack?.match(/deep\/index\.js/g)?.length, 3)

  write('manifest.ts', `import { start } from 'deep'\nstart()\n${jobs}`)
  await engine.reload()
  const [error] = engine.manifest().errors
  assert.deepEqual([error?.file, error?.line, error?.message], ['manifest.ts', 2, 'Error: at the bottom'])
})

test('messages of packages whose cause lies outside of them are known', () => {
  const known: [string, RegExp][] = [
    [
      "browserType.launch: Executable doesn't exist at /x/ms-playwright/chromium",
      /^the browser is not there.*executablePath/,
    ],
    ['Could not find Chrome (ver. 141.0.7390.78). This can occur if', /^the browser is not there/],
    [
      "Cannot find module '/r/node_modules/@scope/fast/build/Release/fast.node'",
      /^the native part of @scope\/fast is not there/,
    ],
    [
      "The module '/r/node_modules/old/a.node'\nwas compiled against a different Node.js version using",
      /^the native part of old was built for another Node/,
    ],
    [
      'Could not load the "sharp" module using the linux-x64 runtime',
      /^the native part of sharp .* Delete package-lock.json/,
    ],
    [
      'libX11.so.6: cannot open shared object file: No such file or directory',
      /^the system has no libX11.so.6/,
    ],
    [
      '@prisma/client did not initialize yet. Please run "prisma generate"',
      /^the client that prisma generates is not there/,
    ],
  ]
  for (const [message, words] of known) assert.match(packageInWords(message) ?? '', words)
  assert.equal(packageInWords("Cannot find module './words'"), null)
})
