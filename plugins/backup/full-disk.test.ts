import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeQuickStore } from '../../src/testing/quick-store.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { smallDisk } from '../../src/testing/small-disk.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'

const mebibyte = 1024 ** 2
/** What is free when the work begins, so that it ends at one write after the other: of the records, of a draft, of the store. */
const rooms = [0, 0.03, 0.2, 1, 3, 5, 7, 9].map(each => Math.round(each * mebibyte))

test('a store whose disk fills up at any write of a copy loses nothing, and the next try works once there is room', {
  skip: noRestic,
  timeout: 900_000,
}, async t => {
  const disk = smallDisk(t, { mebibytes: 64 })
  if (!disk) return
  mkdirSync(join(disk.dir, '.control'), { mode: 0o700 })
  makeQuickStore(join(disk.dir, '.control'))
  const fleet = await testFleet(t, {
    root: disk.dir,
    plugins: [backup],
    env: { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' },
  })
  await fleet.provision('acme')
  const file = (of: string) => join(disk.dir, 'acme', of)
  const data = randomBytes(4 * mebibyte)
  writeFileSync(file('precious'), data)
  const copy = () =>
    fleet.admin<{ title: string; detail: string }>('POST', '/admin/instances/acme/backup', { wait: 100 })
  assert.equal((await copy()).status, 201)
  const filler = join(disk.dir, 'filler')
  let refused = 0
  for (const room of rooms) {
    // So that the store has something new to write.
    const changing = randomBytes(2 * mebibyte)
    writeFileSync(file('changing'), changing)
    const { bavail, bsize } = statfsSync(disk.dir)
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - room)))
    const { status, body } = await copy()
    if (status !== 201) {
      refused++
      assert.match(`${body.title}. ${body.detail}`, /full|no space left|ENOSPC/i, `${room}`)
      assert.match(body.detail, /Nothing was changed|are unchanged/, `${room}`)
    }
    rmSync(filler)
    assert.equal((await fleet.visit('acme')).status, 200)
    assert.ok(readFileSync(file('precious')).equals(data), `${room}: its data`)
    assert.ok(readFileSync(file('changing')).equals(changing), `${room}: what it wrote last`)
  }
  assert.ok(refused > 0, 'the disk was never full')
  t.diagnostic(`${refused} of ${rooms.length} tries found no room`)
  assert.equal((await copy()).status, 201)
})
