import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startInstance } from '../engine.fixture.ts'

test('a job that asks for its program finds the manifest, and is not the program itself', async t => {
  const { run, path, engine } = await startInstance(t, {
    files: {
      'package.json': '{ "type": "commonjs" }',
      'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run } from './job'
const here = process.argv[1] === import.meta.filename
jobRegistry.register({ id: 'job', cron: here ? '@daily' : '@hourly', func: run })`,
      'job.ts': `export const run = () => [process.argv, require.main === module, require.main?.filename ?? null]`,
    },
  })
  assert.deepEqual(
    engine.jobs().map(({ cron }) => cron),
    ['@daily'],
  )
  assert.deepEqual((await run('job')).result, [[process.execPath, path('manifest.ts')], false, null])
})
