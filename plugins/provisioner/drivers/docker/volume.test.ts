import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../src/testing/folder.ts'
import { prepareVolume } from './volume.ts'

const user = { uid: 10001, gid: 10001 }
const skip = process.getuid?.() === 0 ? false : 'only root becomes another user: run the tests as root'

/** Prepares a volume as a process of the image's user does. Null on success, else the error. */
async function prepareAs(volume: string): Promise<string | null> {
  const child = fork(join(import.meta.dirname, 'volume.fixture.ts'), [volume])
  const [told] = (await once(child, 'message')) as [string | null]
  return told
}

test('a clone made by root is refused with the command that fixes its owner', {
  skip,
}, async t => {
  const root = temporaryFolder(t)
  chmodSync(root, 0o755)
  const volume = join(root, 'acme')
  const give = (...path: string[]) => chownSync(join(volume, ...path), user.uid, user.gid)
  mkdirSync(join(volume, 'jobs/.git/objects/ab'), { recursive: true })
  writeFileSync(join(volume, 'jobs/manifest.ts'), '// mine')
  writeFileSync(join(volume, 'jobs/.git/objects/ab/cd'), 'x', { mode: 0o444 })
  writeFileSync(join(volume, 'longhouse.db'), '')
  writeFileSync(join(volume, 'jobs/secret.txt'), '', { mode: 0o600 })

  for (const path of ['', 'jobs', 'jobs/.git', 'jobs/.git/objects', 'jobs/.git/objects/ab']) {
    const words = (await prepareAs(volume)) ?? 'nothing'
    assert.ok(words.includes(`${join(volume, path)} belongs to user 0`), `${path}: ${words}`)
    assert.ok(words.endsWith(`Run: sudo chown -R 10001:10001 ${volume}`), words)
    give(path)
  }
  for (const path of ['jobs/secret.txt', 'longhouse.db']) {
    const words = (await prepareAs(volume)) ?? 'nothing'
    assert.ok(words.includes(`${join(volume, path)} belongs to user 0`), `${path}: ${words}`)
    give(path)
  }
  // What root left readable is replaced, not written: no reason to keep an instance from its start.
  assert.equal(await prepareAs(volume), null)

  // And what the instance itself closed is its own affair.
  give('jobs/manifest.ts')
  chmodSync(join(volume, 'jobs/manifest.ts'), 0)
  chmodSync(join(volume, 'jobs/.git/objects/ab'), 0)
  assert.equal(await prepareAs(volume), null)
})

test('files and folders whose names are not UTF-8 are given to the instance, or looked at, too', {
  skip,
}, async t => {
  const root = temporaryFolder(t)
  chmodSync(root, 0o755)
  const volume = join(root, 'acme')
  const folder = Buffer.from(`${volume}/caf\xe9`, 'latin1')
  const file = Buffer.concat([folder, Buffer.from('/\xe9.txt', 'latin1')])
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, '', { mode: 0o600 })
  const isGiven = (at: string | Buffer) => lstatSync(at).uid === user.uid
  chownSync(volume, user.uid, user.gid)
  assert.match((await prepareAs(volume)) ?? 'nothing', /caf\ufffd belongs to user 0/)
  chownSync(folder, user.uid, user.gid)
  assert.match((await prepareAs(volume)) ?? 'nothing', /\ufffd\.txt belongs to user 0/)
  await prepareVolume(volume, user)
  assert.deepEqual([isGiven(folder), isGiven(file)], [true, true])
  assert.equal(await prepareAs(volume), null)
})
