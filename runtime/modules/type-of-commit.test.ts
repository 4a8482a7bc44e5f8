import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { registry, standingClock, startInstance } from '../engine.fixture.ts'
import { manifest } from './idioms/repo.fixture.ts'

/** Loads files of `lib/` in every way, and says how each was: as a module, or as CommonJS. */
const job = `import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import plain from '../lib/plain.js'
import { kind as typed } from '../lib/typed.ts'
import { kind as nested } from '../lib/nested/plain.js'
const root = process.cwd()
const load = createRequire(join(root, 'jobs/job.ts'))
export async function run() {
  const named = (name: string) => import(join(root, 'lib', name)).then(({ kind, default: all }) => kind ?? all.kind)
  const required = (name: string) => { const found = load('../lib/' + name); return found.kind ?? found.default.kind }
  const thread = async (name: string) => (await once(new Worker(join(root, 'lib', name)), 'message'))[0]
  const forked = async (name: string) => (await once(fork(join(root, 'lib', name)), 'message'))[0]
  const program = (name: string) => execFileSync('node', ['lib/' + name], { encoding: 'utf8' }).trim()
  const files = ['plain.js', 'typed.ts', 'nested/plain.js', 'nested/typed.ts']
  const found: Record<string, unknown> = { imported: [plain.kind, typed, nested] }
  for (const name of files) found[name] = [await named(name), required(name)]
  for (const name of ['entry.js', 'entry.ts', 'nested/entry.js'])
    found[name] = [await thread(name), await forked(name), program(name)]
  return found
}`

const kind = "typeof require === 'function' && typeof module === 'object' ? 'commonjs' : 'module'"
const asModule = `const kind = ${kind}\nexport { kind }\nexport default { kind }\n`
const asCommonJs = `exports.kind = ${kind}\n`
const asTyped = `export const kind: string = typeof module === 'object' ? 'commonjs' : 'module'\n`
const tell = (type: 'module' | 'commonjs') =>
  `${type === 'module' ? "import threads from 'node:worker_threads'" : "const threads = require('node:worker_threads')"}
${type === 'module' ? "const kind = typeof module === 'object' ? 'commonjs' : 'module'" : "const kind = ['commonjs', require.main === module].join(' ')"}
if (threads.parentPort) threads.parentPort.postMessage(kind)
else if (process.send) process.send(kind)
else console.log(kind)\n`

/** A package of one type, with a folder of the other type in it. */
function filesOf(outer: 'module' | 'commonjs', inner: 'module' | 'commonjs'): Record<string, string> {
  const plain = { module: asModule, commonjs: asCommonJs }
  return {
    'manifest.ts': manifest(),
    'package.json': JSON.stringify({ type: outer }),
    'jobs/package.json': '{ "type": "module" }',
    'jobs/job.ts': job,
    'lib/plain.js': plain[outer],
    'lib/typed.ts': asTyped,
    'lib/entry.js': tell(outer),
    'lib/entry.ts': tell('module'),
    'lib/nested/package.json': JSON.stringify({ type: inner }),
    'lib/nested/plain.js': plain[inner],
    'lib/nested/typed.ts': asTyped,
    'lib/nested/entry.js': tell(inner),
  }
}

const expected = {
  commonjs: {
    imported: ['commonjs', 'commonjs', 'module'],
    'plain.js': ['commonjs', 'commonjs'],
    'typed.ts': ['commonjs', 'commonjs'],
    'nested/plain.js': ['module', 'module'],
    'nested/typed.ts': ['module', 'module'],
    'entry.js': ['commonjs true', 'commonjs true', 'commonjs true'],
    'entry.ts': ['commonjs', 'commonjs', 'commonjs'],
    'nested/entry.js': ['module', 'module', 'module'],
  },
  module: {
    imported: ['module', 'module', 'commonjs'],
    'plain.js': ['module', 'module'],
    'typed.ts': ['module', 'module'],
    'nested/plain.js': ['commonjs', 'commonjs'],
    'nested/typed.ts': ['commonjs', 'commonjs'],
    'entry.js': ['module', 'module', 'module'],
    'entry.ts': ['module', 'module', 'module'],
    'nested/entry.js': ['commonjs true', 'commonjs true', 'commonjs true'],
  },
}

for (const [outer, inner] of [
  ['module', 'commonjs'],
  ['commonjs', 'module'],
] as const) {
  test(`files of a ${outer} package are of the type that they had in the commit that runs, whatever package.json says by now`, async t => {
    const files = filesOf(outer, inner)
    const { run, engine, write, path } = await startInstance(t, { files })
    const first = await run('job')
    assert.equal(first.error, null, first.error?.stack ?? '')
    assert.deepEqual(first.result, expected[outer])

    const places = ['package.json', 'lib/nested/package.json', 'lib/package.json', 'jobs/package.json']
    for (const text of [JSON.stringify({ type: inner }), JSON.stringify({ type: outer }), '{}', null]) {
      for (const place of places) text === null ? rmSync(path(place)) : write(place, text)
      write('manifest.ts', 'this is not code')
      await engine.reload()
      assert.equal(engine.manifest().status, 'error')
      const again = await run('job')
      assert.deepEqual([again.error, again.result], [null, first.result], `package.json: ${text}`)
    }
  })
}

test('a file is found where it was in the commit that runs, whatever leads there and whether it is still there', async t => {
  const files = {
    'manifest.ts': manifest(),
    'package.json': '{ "type": "module" }',
    'lib/words.ts': "export const words: string = 'of the commit'",
    'lib/tool.cts': "module.exports = 'tool of the commit'",
    'lib/thread.ts':
      "import { parentPort } from 'node:worker_threads'\nimport { words } from './words'\nparentPort?.postMessage(words)",
    'lib/program.ts': "import { words } from './words.ts'\nconsole.log(words)",
    'node_modules/finder/package.json': '{ "name": "finder", "main": "index.cjs" }',
    'node_modules/finder/index.cjs':
      'exports.find = name => import(name)\nexports.load = name => require(name)',
    'data/made.mjs': "export { words } from '../lib/words.ts'",
    'jobs/job.ts': `import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import finder from 'finder'
const place = (name: string) => join(process.cwd(), name)
export async function run() {
  const thread = new Worker(place('lib/thread.ts'))
  return [
    (await import(place('lib/words.ts'))).words,
    (await finder.find(place('lib/words.ts'))).words,
    finder.load(place('lib/tool.cts')),
    (await import(place('data/made.mjs'))).words,
    (await once(thread, 'message'))[0],
    execFileSync('node', ['lib/program.ts'], { encoding: 'utf8' }).trim(),
  ]
}`,
  }
  const { run, engine, write, path } = await startInstance(t, { files })
  const first = await run('job')
  const words = 'of the commit'
  assert.deepEqual(
    [first.error, first.result],
    [null, [words, words, 'tool of the commit', words, words, words]],
  )
  for (const change of [
    () => write('lib/words.ts', 'newer'),
    () => rmSync(path('lib'), { recursive: true }),
  ]) {
    change()
    write('manifest.ts', 'this is not code')
    await engine.reload()
    assert.equal(engine.manifest().status, 'error')
    const again = await run('job')
    assert.deepEqual([again.error, again.result], [null, first.result])
  }
})

test('a retry loads the files of its slot as what they were then, after package.json has changed and is live', async t => {
  const clock = standingClock(Date.parse('2026-03-10T08:00:00Z'))
  const { engine, ended, write } = await startInstance(t, {
    clock,
    files: {
      'package.json': '{ "type": "commonjs" }',
      'lib/words.js': "exports.words = 'of CommonJS'",
      'manifest.ts': `${registry}import { run } from './jobs/job'
jobRegistry.register({ id: 'job', cron: '@hourly', func: run, retry: { attempts: 2, delay: '1m' } })`,
      'jobs/job.ts': `import { join } from 'node:path'
export async function run({ run }: { run: { attempt: number } }) {
  if (run.attempt < 2) throw new Error('again')
  const { default: all } = await import(join(process.cwd(), 'lib/words.js'))
  return [all.words, typeof module]
}`,
    },
  })
  const newest = () => engine.runs({ jobId: 'job', limit: 1, offset: 0 }).runs[0]
  const at = (time: string) => {
    clock.at = Date.parse(`2026-03-10T${time}Z`)
    engine.tick(clock.at)
  }
  at('09:00:00')
  const first = await ended(newest()?.id ?? '')
  assert.equal(first.error?.message, 'again')
  write('package.json', '{ "type": "module" }')
  write('lib/words.js', "export const words = 'of a module'")
  await engine.reload()
  assert.deepEqual([engine.manifest().status, engine.manifest().errors], ['ok', []])
  at('09:01:00')
  const second = await ended(newest()?.id ?? '')
  assert.deepEqual([second.error, second.result], [null, ['of CommonJS', 'object']])
  assert.equal(second.commit, first.commit)
})
