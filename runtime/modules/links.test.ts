import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { test } from 'node:test'
import { startInstance } from '../engine.fixture.ts'
import { manifest, module } from './idioms/repo.fixture.ts'

test('links within the repo lead to files and folders, as in a clone', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': manifest(), 'package.json': module } })
  const { engine, write, path, run } = instance
  write(
    'lib/real.ts',
    "export const real: string = 'real'\nexport const name = import.meta.filename.split('/').at(-1)",
  )
  write('common/words.ts', "import { real } from '../lib/real'\nexport const words = [real]")
  symlinkSync('real.ts', path('lib/link.ts'))
  symlinkSync('../common', path('lib/folder'))
  symlinkSync(path('lib'), path('whole'))
  write(
    'jobs/job.ts',
    `import { name } from '../lib/link'
import { words } from '../lib/folder/words'
import { real } from '../whole/link.js'
export const run = async () => [name, words, real, (await import('../lib/' + 'link.ts')).name]`,
  )
  await engine.reload()
  assert.deepEqual(engine.manifest().errors, [])
  const { error, result } = await run('job')
  assert.equal(error, null)
  assert.deepEqual(result, ['real.ts', ['real'], 'real', 'real.ts'])
})

test('a link to what is no code is refused with its place', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': manifest(), 'package.json': module } })
  const { engine, write, path } = instance
  symlinkSync('gone.ts', path('link.ts'))
  write('jobs/job.ts', "import { gone } from '../link'\nexport const run = () => gone")
  await engine.reload()
  const message =
    '"../link" is a link that leads to gone.ts, which lies outside the jobs repo; put the file itself here'
  assert.deepEqual(engine.manifest().errors, [{ file: 'jobs/job.ts', line: 1, column: 22, message }])
})
