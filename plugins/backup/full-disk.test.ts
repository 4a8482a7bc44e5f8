import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { makeQuickStore } from '../../src/testing/quick-store.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { smallDisk } from '../../src/testing/small-disk.ts'
import { DriverError } from '../provisioner/driver.ts'
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

/** Where in a restore the disk fills up, and what is left of it then, in bytes. */
const moments = ['fetch', 'swap', 'start'] as const
const left = [0, 30_000, 300_000]

test('a disk that fills up at any write of a restore loses nothing, and the instance runs again once there is room', {
  skip: noRestic,
  timeout: 900_000,
}, async t => {
  const disk = smallDisk(t, { mebibytes: 32 })
  if (!disk) return
  const control = temporaryFolder(t)
  makeQuickStore(control)
  const clock = setClock()
  let trap: { moment: (typeof moments)[number]; room: number } | null = null
  let fails = false
  const fillAt = (moment: (typeof moments)[number]) => {
    if (trap?.moment !== moment) return
    const { bavail, bsize } = statfsSync(disk.dir)
    writeFileSync(join(disk.dir, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - trap.room)))
    trap = null
    fails = moment === 'start'
  }
  const fleet = await testFleet(t, {
    root: disk.dir,
    clock,
    plugins: [backup],
    env: {
      BACKUP_EVERY: '0ms',
      BACKUP_PROVE_EVERY: '0ms',
      BACKUP_STORE: join(control, 'backups'),
      BACKUP_PASSWORD_FILE: join(control, 'backup-password'),
    },
    driver: real => ({
      ...real,
      workOnFolder: async work => {
        if (work.command === 'unpack') fillAt('fetch')
        if (work.command === 'settle') fillAt('swap')
        return await real.workOnFolder(work)
      },
      start: async ref => {
        fillAt('start')
        if (fails) {
          fails = false
          throw new DriverError('the disk is full', { permanent: false })
        }
        await real.start(ref)
      },
    }),
  })
  await fleet.provision('acme')
  const file = (of: string) => join(disk.dir, 'acme', of)
  const copied = randomBytes(2 * mebibyte)
  writeFileSync(file('precious'), copied)
  const copy = await fleet.admin<{ id: string }>('POST', '/admin/instances/acme/backup', { wait: 100 })
  assert.equal(copy.status, 201, JSON.stringify(copy.body))
  let undone = 0
  for (const moment of moments)
    for (const room of left) {
      const words = `${moment}, ${room}`
      const current = randomBytes(2 * mebibyte)
      writeFileSync(file('precious'), current)
      trap = { moment, room }
      await fleet.admin('POST', '/admin/instances/acme/restore', { body: { backup: copy.body.id }, wait: 5 })
      await eventually(`${words}: it is reached`, () => trap === null)
      clock.advance(11 * 60_000)
      await fleet.program.runOnce('provisioner:reconcile').catch(() => {})
      disk.free()
      const { operation } = await eventually(`${words}: it runs again`, async () => {
        const { body } = await fleet.admin('GET', '/admin/instances/acme')
        const isOver = body.operation?.finished_at != null
        if (isOver && body.status === 'running') return body
        // Not while it is at work: its own time limits count as well.
        if (isOver) clock.advance(11 * 60_000)
        await fleet.program.runOnce('provisioner:reconcile')
        return false
      })
      assert.equal((await fleet.visit('acme')).status, 200, words)
      const now = readFileSync(file('precious'))
      const isRestored = operation?.kind === 'restore' && operation.status === 'succeeded'
      if (!isRestored) undone++
      assert.ok(now.equals(isRestored ? copied : current), `${words}: ${operation?.kind} ${operation?.error}`)
    }
  assert.ok(undone > 0, 'the disk was never full')
  t.diagnostic(`${undone} of ${moments.length * left.length} were taken back`)
  const last = await fleet.admin('POST', '/admin/instances/acme/restore', {
    body: { backup: copy.body.id },
    wait: 100,
  })
  assert.deepEqual([last.body.operation?.status, last.body.status], ['succeeded', 'running'])
  assert.ok(readFileSync(file('precious')).equals(copied))
})
