import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startInstance } from '../engine.fixture.ts'
import { module } from './idioms/repo.fixture.ts'

/** A package that notes, where all packages see it, that it was loaded. */
const noted = (name: string) => ({
  [`node_modules/noted-${name}/package.json`]: `{ "name": "noted-${name}", "main": "index.cjs" }`,
  [`node_modules/noted-${name}/index.cjs`]: `exports.loaded = globalThis.loaded ??= []\nexports.loaded.push('${name}')`,
})

test('a run loads the function and the parameters of its own job, and nothing of the others', async t => {
  const { run, engine } = await startInstance(t, {
    files: {
      'package.json': module,
      'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run as small } from './jobs/small'
import { params, run } from './jobs/asking'
import * as other from './jobs/other'
jobRegistry.register({ id: 'small', cron: '@daily', func: small })
jobRegistry.register({ id: 'asking', cron: '@daily', func: run, params })
jobRegistry.register({ id: 'other', cron: '@daily', func: other.run, params: other.params })`,
      ...noted('small'),
      ...noted('asking'),
      ...noted('other'),
      'jobs/small.ts': `import { loaded } from 'noted-small'
export const run = () => loaded`,
      'jobs/asking.ts': `import { z } from 'zod'
import { loaded } from 'noted-asking'
export const params = z.object({ to: z.string().default('team') })
export const run = ({ params }: { params: { to: string } }) => [...loaded, params.to]`,
      'jobs/other.ts': `import { loaded } from 'noted-other'
export const params = { count: { type: 'integer', default: 3 } }
export const run = ({ params }: { params: { count: number } }) => [...loaded, params.count]`,
    },
  })
  assert.deepEqual(engine.manifest().errors, [])
  assert.deepEqual((await run('small')).result, ['small'])
  assert.deepEqual((await run('asking')).result, ['asking', 'team'])
  assert.deepEqual((await run('other')).result, ['other', 3])
})

test('parameters that are missing from their module, or fail to load, are found at the save', async t => {
  const { engine, write } = await startInstance(t, {
    files: {
      'package.json': module,
      'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { params, run } from './jobs/asking'
jobRegistry.register({ id: 'asking', cron: '@daily', func: run, params })`,
      'jobs/asking.ts': `export const params = { to: { type: 'string', default: 'team' } }
export const run = () => 1`,
    },
  })
  assert.equal(engine.manifest().status, 'ok')
  const errorAfter = async (text: string) => {
    write('jobs/asking.ts', text)
    await engine.reload()
    const [error] = engine.manifest().errors
    return [error?.file, error?.line, error?.message]
  }
  assert.deepEqual(
    await errorAfter(`\nthrow new Error('no schema')\nexport const params = {}\nexport const run = () => 1`),
    ['jobs/asking.ts', 2, 'Error: no schema'],
  )
  const [file, , message] = await errorAfter('export const run = () => 1')
  assert.equal(file, 'manifest.ts')
  assert.match(String(message), /params/)
})

test('a name that a file does not export is found at the save, also where packages are used', async t => {
  const { engine, write } = await startInstance(t, {
    files: {
      'package.json': module,
      ...noted('small'),
      'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run } from './jobs/small'
jobRegistry.register({ id: 'small', cron: '@daily', func: run })`,
      'lib/words.ts': 'export const words = 1\nexport type Kind = string',
      'jobs/small.ts': `import { loaded } from 'noted-small'
import { type Kind, words } from '../lib/words'
export const run = (): Kind[] => [...loaded, String(words)]`,
    },
  })
  assert.deepEqual(engine.manifest().errors, [])
  write(
    'jobs/small.ts',
    "import 'node:fs'\nimport { loaded } from 'noted-small'\nimport { word } from '../lib/words'\nexport const run = () => [loaded, word]",
  )
  await engine.reload()
  const message =
    "SyntaxError: The requested module '../lib/words' does not provide an export named 'word'; did you mean words?"
  assert.deepEqual(engine.manifest().errors, [{ file: 'jobs/small.ts', line: 3, column: 22, message }])
  assert.deepEqual(
    engine.jobs().map(({ id }) => id),
    ['small'],
  )
})
