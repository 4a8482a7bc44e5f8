import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob, startInstance } from '../engine.fixture.ts'
import { listFolder } from './folder-list.ts'
import { openRawFiles } from './raw-files.ts'

/** The check finds nothing wrong, as if a job had put the link there just afterwards. */
const looked = { accept: () => {} }

test('a link that a job puts in place of a folder during an operation is not followed', async t => {
  const dir = temporaryFolder(t)
  const jobsDir = join(dir, 'jobs')
  mkdirSync(join(jobsDir, 'data/real'), { recursive: true })
  writeFileSync(join(jobsDir, 'data/real/file'), 'mine')
  mkdirSync(join(dir, 'keys'))
  writeFileSync(join(dir, 'keys/secret'), 'secret')
  symlinkSync(join(dir, 'keys'), join(jobsDir, 'data/swapped'))
  symlinkSync(join(dir, 'keys/secret'), join(jobsDir, 'data/link'))
  symlinkSync('real', join(jobsDir, 'data/inside'))
  const files = openRawFiles({ dir, jobsDir }, looked)
  for (const path of ['data/swapped/secret', 'data/link', 'data/inside/file']) {
    assert.throws(() => files.open(path), { code: 'uneditable' }, path)
  }
  for (const folder of ['data/swapped', 'data/inside', 'data/real/file']) {
    assert.throws(() => listFolder(jobsDir, folder, looked), { code: 'unknown-file' }, folder)
  }
  for (const path of ['data/swapped/new', 'data/swapped/deep/new', 'data/inside/new']) {
    const received = await files.receive(path, new Blob(['x']).stream())
    assert.throws(() => received.place({ replace: true }), { code: 'refused-path' }, path)
    await received.discard()
  }
  assert.deepEqual(readdirSync(join(dir, 'keys')), ['secret'])
  assert.equal(existsSync(join(jobsDir, 'data/real/new')), false)

  const open = files.open('data/real/file')
  assert.equal(open.sizeBytes, 4)
  open.close()
  const received = await files.receive('data/new/deep/file', new Blob(['x']).stream())
  received.place({ replace: false })
  assert.equal(listFolder(jobsDir, 'data/new/deep', looked).entries[0]?.path, 'data/new/deep/file')
})

test('a script replaced by an upload stays executable', async t => {
  const dir = temporaryFolder(t)
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  writeFileSync(join(jobsDir, 'run.sh'), 'old', { mode: 0o755 })
  const files = openRawFiles({ dir, jobsDir }, looked)
  for (const path of ['run.sh', 'new.sh']) {
    const received = await files.receive(path, new Blob(['fresh']).stream())
    received.place({ replace: true })
  }
  const mode = (name: string) => statSync(join(jobsDir, name)).mode & 0o111
  assert.deepEqual([mode('run.sh'), mode('new.sh')], [0o111, 0])
  assert.equal(readFileSync(join(jobsDir, 'run.sh'), 'utf8'), 'fresh')
})

test('temporary files of a killed runtime are deleted at the next start', async t => {
  const instance = await startInstance(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  const left = join(instance.dir, '.save-00000000-0000-0000-0000-000000000000')
  writeFileSync(left, 'half of it')
  await instance.restart()
  assert.equal(existsSync(left), false)
  assert.ok(existsSync(instance.path('manifest.ts')))
})
