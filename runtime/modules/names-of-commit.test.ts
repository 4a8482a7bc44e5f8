import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startInstance } from '../engine.fixture.ts'
import { runInClone } from './clone.fixture.ts'
import { manifest } from './idioms/repo.fixture.ts'

const named = (letter: string) =>
  JSON.stringify({
    name: 'jobs',
    type: 'module',
    imports: { '#letter': `./lib/${letter}.ts` },
    exports: { './letter': `./lib/${letter}.ts` },
  })

test('names of package.json mean what they meant in the commit that runs, whatever the file says by now', async t => {
  const { run, engine, write } = await startInstance(t, {
    files: {
      'manifest.ts': manifest(),
      'package.json': named('a'),
      'lib/a.ts': "export const letter: string = 'a'",
      'lib/b.ts': "export const letter: string = 'b'",
      'jobs/job.ts': `import { letter } from '#letter'
import { letter as same } from 'jobs/letter'
export async function run() { return [letter, same, (await import('#letter')).letter] }`,
    },
  })
  assert.deepEqual((await run('job')).result, ['a', 'a', 'a'])
  write('package.json', named('b'))
  write('manifest.ts', 'this is not code')
  await engine.reload()
  assert.equal(engine.manifest().status, 'error')
  assert.deepEqual((await run('job')).result, ['a', 'a', 'a'])
  write('manifest.ts', manifest())
  await engine.reload()
  assert.equal(engine.manifest().status, 'ok')
  assert.deepEqual((await run('job')).result, ['b', 'b', 'b'])
})

test('names of package.json stand for packages, data and what the condition says, in the nearest one', async t => {
  const files = {
    'manifest.ts': manifest(),
    'package.json': JSON.stringify({
      type: 'module',
      imports: {
        '#words': 'words',
        '#data': './lib/data.bin',
        '#kind': { require: './lib/required.cts', import: './lib/imported.ts' },
        '#many/*': ['./lib/*.ts'],
        '#private/*': null,
      },
    }),
    'node_modules/words/package.json': '{ "name": "words", "type": "module", "exports": "./index.js" }',
    'node_modules/words/index.js': "export const words = 'of a package'",
    'lib/data.bin': 'bytes',
    'lib/imported.ts': "export const kind: string = 'imported'",
    'lib/required.cts': "module.exports.kind = 'required'",
    'other/package.json': '{ "type": "module", "imports": { "#kind": "./own.ts" } }',
    'other/own.ts': "export const kind: string = 'of the other'",
    'other/index.ts': "export { kind } from '#kind'",
    'jobs/job.ts': `import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { kind } from '#kind'
import { words } from '#words'
import { kind as other } from '../other/index.ts'
const require = createRequire(import.meta.url)
export async function run() {
  const refused = await import('#private/' + 'x').catch(error => error.code)
  return [kind, require('#kind').kind, words, other, basename(require.resolve('#data')), (await import('#many/imported')).kind, refused]
}`,
  }
  const { run, engine } = await startInstance(t, { files })
  assert.deepEqual(engine.manifest().errors, [])
  const [{ result, error }, clone] = [await run('job'), await runInClone(t, files)]
  assert.equal(error, null, error?.stack ?? '')
  assert.deepEqual(result, clone)
})

test('names of package.json that stand for packages and data mean what they meant in the commit that runs', async t => {
  const at = (name: string) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, type: 'module', exports: './index.js' }),
    [`node_modules/${name}/index.js`]: `export const name = '${name}'`,
  })
  const files = {
    'manifest.ts': manifest(),
    'package.json': JSON.stringify({
      name: 'jobs',
      type: 'module',
      imports: { '#letter': 'a', '#data': './lib/a.bin', '#fs': 'fs' },
      exports: { './data': './lib/a.bin' },
    }),
    ...at('a'),
    ...at('b'),
    'lib/a.bin': 'bytes of a',
    'jobs/job.ts': `import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { name } from '#letter'
import { existsSync } from '#fs'
const require = createRequire(import.meta.url)
export async function run() {
  const found = [import.meta.resolve('#data'), require.resolve('#data'), import.meta.resolve('jobs/data'), require.resolve('jobs/data')]
  const codeOf = (name: string) => import(name).then(() => 'there', error => error.code)
  return [name, (await import('#letter')).name, require('#letter').name, typeof existsSync, found.map(each => basename(each)), await codeOf('#other')]
}`,
  }
  const { run, engine, write } = await startInstance(t, { files })
  const first = await run('job')
  assert.equal(first.error, null, first.error?.stack ?? '')
  assert.deepEqual(first.result, await runInClone(t, files))
  for (const text of [
    JSON.stringify({
      name: 'jobs',
      type: 'module',
      imports: { '#letter': 'b', '#data': './lib/b.bin', '#fs': 'os', '#other': 'b' },
      exports: { './data': './lib/b.bin' },
    }),
    '{}',
  ]) {
    write('package.json', text)
    write('manifest.ts', 'this is not code')
    await engine.reload()
    const again = await run('job')
    assert.deepEqual([again.error, again.result], [null, first.result])
  }
})
