import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { withSdk } from '../git/sdk-address.ts'
import { readManifest } from './read-manifest.ts'
import { readStarter } from './starter.ts'

const root = join(import.meta.dirname, '../..')
const made = join(root, 'dist/starter')

/** A volume that holds the starter jobs. */
function volume(t: TestContext) {
  const dir = temporaryFolder(t)
  const jobsDir = join(dir, 'jobs')
  cpSync(join(root, 'jobs-template'), jobsDir, { recursive: true })
  mkdirSync(join(dir, 'builds/.new'), { recursive: true })
  const out = join(dir, 'builds/.new')
  return { jobsDir, buildsDir: join(dir, 'builds'), out, read: () => readStarter(jobsDir, out, made) }
}

test('the prebuilt starter jobs are byte for byte the result of compiling and reading them', async t => {
  const { jobsDir, buildsDir, out, read } = volume(t)
  const known = read() as { code: string; inputs: string[] }
  const fresh = await readManifest({ jobsDir, buildsDir, timezone: 'UTC', limitMs: 60_000, memoryMb: 256 })
  assert.ok('build' in fresh, JSON.stringify(fresh))
  assert.equal(known.code, fresh.build)
  assert.deepEqual(known.inputs.toSorted(), fresh.inputs.toSorted())
  const compiled = join(buildsDir, fresh.build)
  assert.deepEqual(readdirSync(out).sort(), readdirSync(compiled).sort())
  for (const name of readdirSync(out)) {
    assert.deepEqual(readFileSync(join(out, name)), readFileSync(join(compiled, name)), name)
  }
})

test('the address of the package longhouse is no change to the starter jobs', async t => {
  const { jobsDir, buildsDir, read } = volume(t)
  const file = join(jobsDir, 'package.json')
  const text = readFileSync(file, 'utf8')
  const url = 'https://acme.example.com/sdk/longhouse-1.4.0-b0123456789.tgz'
  writeFileSync(file, withSdk(text, url))
  const known = read() as { code: string }
  const fresh = await readManifest({ jobsDir, buildsDir, timezone: 'UTC', limitMs: 60_000, memoryMb: 256 })
  assert.equal(known.code, 'build' in fresh && fresh.build)
  writeFileSync(file, withSdk(text, 'https://packages.example.com/longhouse.tgz'))
  assert.equal(read(), null, 'another package')
})

test('a repo with anything besides the starter jobs is compiled', t => {
  const { jobsDir, read } = volume(t)
  mkdirSync(join(jobsDir, '.git'))
  mkdirSync(join(jobsDir, 'node_modules/longhouse'), { recursive: true })
  assert.ok(read(), 'git and packages have no say in it')

  // esbuild would take it in place of daily-digest.ts.
  const other = join(jobsDir, 'jobs/daily-digest.tsx')
  writeFileSync(other, '')
  assert.equal(read(), null)
  rmSync(other)
  assert.ok(read())

  const job = join(jobsDir, 'jobs/daily-digest.ts')
  const text = readFileSync(job, 'utf8')
  writeFileSync(job, text.replace('Good morning', 'Good evening'))
  assert.equal(read(), null)
  rmSync(job)
  assert.equal(read(), null)
  mkdirSync(job)
  assert.equal(read(), null)
})
