import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { definePlugin } from '../../../src/kernel/control-plane.ts'
import type { Plugin } from '../../../src/kernel/plugin.ts'
import { type ManualClock, setClock } from '../../../src/testing/clock.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { smallDisk } from '../../../src/testing/small-disk.ts'
import type { PurgeCheck } from '../contract.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

const hour = 3_600_000
const day = 24 * hour
/** One look counts an hour and a half at most, and the machine's own time passes, too. */
const countedMs = 1.4 * hour

interface Kept {
  clock: ManualClock
  fleet: TestFleet
  volume: string
  /** Time goes on, and the timer looks as often as it must to count all of it. */
  live(ms: number): Promise<void>
  look(): Promise<void>
}

/** A fleet with one instance that was removed, and has something to lose. */
async function keptVolume(
  t: TestContext,
  options: { env?: Record<string, string>; plugins?: Plugin[] } = {},
): Promise<Kept> {
  const clock = setClock()
  const root = memoryFolder(t)
  const fleet = await testFleet(t, { ...options, root, clock })
  await fleet.provision('acme')
  const volume = join(root, 'acme')
  writeFileSync(join(volume, 'precious'), 'data')
  const removed = await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  assert.equal(removed.body.status, 'deleted')
  return withTimer({ clock, fleet, volume })
}

function withTimer({ clock, fleet, volume }: Pick<Kept, 'clock' | 'fleet' | 'volume'>): Kept {
  const look = () => fleet.program.runOnce('provisioner:retention')
  const live = async (ms: number) => {
    for (let left = ms; left > 0; left -= countedMs) {
      clock.advance(Math.min(left, countedMs))
      await look()
    }
  }
  return { clock, fleet, volume, live, look }
}

/** A plugin that is asked before a volume is deleted. */
const objecting = (name: string, check: PurgeCheck): Plugin =>
  definePlugin({
    name,
    needs: ['provisioner'],
    setup: () => ({ hooks: { 'purge-objection': check } }),
  })

const isKept = ({ volume }: Kept) => existsSync(join(volume, 'precious'))
/** The purge that the timer asked for is an operation like any other, and takes its time. */
const isGone = ({ volume }: Kept) => eventually('the volume is gone', () => !existsSync(volume))
const record = async ({ fleet }: Pick<Kept, 'fleet'>) =>
  (await fleet.admin('GET', '/admin/instances/acme')).body

test('a volume is kept for thirty days of uptime, and then deleted', async t => {
  const kept = await keptVolume(t)
  const { deleted_at, purge_at, deleted_by } = await record(kept)
  assert.equal(deleted_by, 'operator')
  assert.equal(Date.parse(purge_at ?? '') - Date.parse(deleted_at ?? ''), 30 * day)
  await kept.live(30 * day - hour)
  assert.ok(isKept(kept))
  assert.equal((await record(kept)).operation?.kind, 'deprovision')
  await kept.live(2 * hour)
  await isGone(kept)
  await eventually('the name is free', async () => {
    return (await kept.fleet.admin('GET', '/admin/instances/acme')).status === 404
  })
})

test('a purge that cannot be requested holds up no other, and the round says which it was', async t => {
  const clock = setClock()
  const fleet = await testFleet(t, { root: memoryFolder(t), clock, env: { RETENTION_DAYS: '1' } })
  const ids: Record<string, string> = {}
  for (const subdomain of ['acme', 'beta']) {
    ids[subdomain] = (await fleet.provision(subdomain)).body.id
    await fleet.admin('DELETE', `/admin/instances/${subdomain}`, { wait: 60 })
  }
  const database = new Database(join(fleet.root, '.control', 'longhouse.db'))
  t.after(() => database.close())
  database.exec(`create trigger stuck before insert on provisioner_operations when new.instance_id = '${ids.acme}'
    begin select raise(abort, 'the record of acme is stuck'); end`)
  const look = () => fleet.program.runOnce('provisioner:retention')
  for (let hours = 0; hours < 23; hours++) {
    await look()
    clock.advance(hour)
  }
  await look()
  clock.advance(2 * hour)
  await assert.rejects(look(), /the record of acme is stuck/)
  await eventually('beta is gone', () => !existsSync(join(fleet.root, 'beta')))
  assert.equal(existsSync(join(fleet.root, 'acme')), true)
  database.exec('drop trigger stuck')
  await look()
  await eventually('so is acme', () => !existsSync(join(fleet.root, 'acme')))
})

test('what an operation left behind and cannot be deleted keeps nothing else from deletion', async t => {
  const disk = smallDisk(t, { mebibytes: 1 })
  if (!disk) return
  const root = mkdtempSync(join(tmpdir(), 'longhouse-disk-'))
  const fleet = await testFleet(t, { root })
  const left = async (subdomain: string, kind: string) => {
    const folder = join(root, '.control', kind, (await fleet.provision(subdomain)).body.id)
    mkdirSync(join(folder, 'part'), { recursive: true })
    return folder
  }
  const [stuck, other] = [await left('acme', 'restores'), await left('beta', 'upgrades')]
  execFileSync('mount', ['--bind', disk.dir, join(stuck, 'part')])
  t.after(() => {
    execFileSync('umount', ['--lazy', join(stuck, 'part')])
    rmSync(root, { recursive: true })
  })
  await assert.rejects(fleet.program.runOnce('provisioner:prune-operations'), /EBUSY/)
  assert.deepEqual([existsSync(stuck), existsSync(other)], [true, false])
})

test('neither a clock that jumps nor a machine that was off deletes anything', async t => {
  const kept = await keptVolume(t)
  const { clock, look, live } = kept
  await look()
  for (const jump of [40 * day, -80 * day, 400 * day, -1000 * day, 5000 * day]) {
    clock.advance(jump)
    await look()
    await look()
    assert.ok(isKept(kept), `after a jump of ${jump / day} days`)
    assert.equal((await record(kept)).operation?.kind, 'deprovision')
  }
  // What was lived through still counts.
  await live(28 * day)
  assert.ok(isKept(kept))
  const left = Date.parse((await record(kept)).purge_at ?? '') - clock.now()
  assert.ok(left > day && left < 2.5 * day, `${left / hour} hours are left`)
})

test('a restart during the retention period neither deletes the volume nor forgets the time', async t => {
  const first = await keptVolume(t)
  await first.live(20 * day)
  await first.fleet.program.stop()
  // The machine is off for a year.
  first.clock.advance(365 * day)
  const fleet = await testFleet(t, { root: first.fleet.root, clock: first.clock })
  const second = withTimer({ ...first, fleet })
  await second.look()
  await second.live(9 * day)
  assert.ok(isKept(second))
  await second.live(2 * day)
  await isGone(second)
})

test('a check that objects or fails keeps the volume, and the page says why', async t => {
  let answer: () => Promise<string | null> = async () => 'it is paid again'
  const plugins = [objecting('money', () => answer()), objecting('nobody', async () => null)]
  const kept = await keptVolume(t, { plugins })
  const { live, look, fleet } = kept
  await live(30 * day + hour)
  assert.ok(isKept(kept))
  const html = async () => {
    const reply = await fleet.admin('GET', '/admin/instances/acme', { headers: { Accept: 'text/html' } })
    return String(reply.body)
  }
  assert.match(await html(), /the volume was not deleted.*it is paid again/s)
  answer = () => Promise.reject(new Error('no route to host'))
  await look()
  assert.match(await html(), /money could not be asked: no route to host/)
  assert.ok(isKept(kept))
  answer = async () => null
  await look()
  await isGone(kept)
})

test('an instance that is brought back while the checks run is not purged', async t => {
  let asked = 0
  const slow = objecting('slow', async () => {
    asked++
    await kept.fleet.admin('POST', '/admin/instances/acme/restore', { wait: 60 })
    return null
  })
  const kept = await keptVolume(t, { plugins: [slow] })
  const { live } = kept
  await live(30 * day + hour)
  assert.equal(asked, 1)
  assert.equal((await record(kept)).status, 'running')
  assert.ok(isKept(kept))
})

test('with RETENTION_DAYS=0 only a person deletes a volume', async t => {
  const kept = await keptVolume(t, { env: { RETENTION_DAYS: '0' } })
  assert.equal((await record(kept)).purge_at, null)
  await kept.live(60 * day)
  assert.ok(isKept(kept))
  await kept.fleet.admin('DELETE', '/admin/instances/acme?purge=true')
  await isGone(kept)
})

test('a removal is undone by one call: same volume, same password', async t => {
  const kept = await keptVolume(t)
  const { fleet } = kept
  await kept.live(29 * day)
  const back = await fleet.admin('POST', '/admin/instances/acme/restore', { wait: 60 })
  assert.deepEqual(
    [back.status, back.body.status, back.body.deleted_at, back.body.purge_at],
    [200, 'running', null, null],
  )
  assert.equal(back.body.password, undefined)
  assert.equal(readFileSync(join(kept.volume, 'precious'), 'utf8'), 'data')
  assert.equal((await fleet.visit('acme')).status, 200)
  assert.equal((await fleet.admin('POST', '/admin/instances/acme/restore')).status, 409)
  // A new removal starts a new retention period.
  await fleet.admin('DELETE', '/admin/instances/acme', { wait: 60 })
  await kept.live(29 * day)
  assert.ok(isKept(kept))
})

test('an instance is transferred to another owner with a new password, and its name is held for that owner', async t => {
  const kept = await keptVolume(t)
  const { fleet } = kept
  const to = (owner_email: string) =>
    fleet.admin('POST', '/admin/instances/acme/transfer', { body: { owner_email }, wait: 60 })
  assert.equal((await to('nobody')).status, 422)
  const given = await to('grace@example.com')
  assert.deepEqual(
    [given.status, given.body.owner_email, given.body.status],
    [200, 'grace@example.com', 'deleted'],
  )
  assert.match(given.body.password ?? '', /^\w{5}(-\w{5}){3}$/)
  const body = { subdomain: 'acme', owner_email: 'ada@example.com' }
  assert.equal((await fleet.admin('POST', '/admin/instances', { body })).status, 409)
  assert.equal((await fleet.provision('acme', 'grace@example.com')).body.status, 'running')
  assert.ok(isKept(kept))

  const boots = () => readFileSync(join(kept.volume, 'boots'), 'utf8').trim().split('\n').length
  const before = boots()
  const running = await to('alan@example.com')
  assert.deepEqual([running.body.status, running.body.owner_email], ['running', 'alan@example.com'])
  assert.equal(boots(), before + 1, 'whoever was signed in is out')
})

test('a new owner has the whole period, also when the transfer happens while the checks run', async t => {
  let asked = 0
  let transfers = false
  const transferring = objecting('test', async () => {
    if (transfers && asked++ === 0) await to('alan@example.com')
    return null
  })
  const kept = await keptVolume(t, { plugins: [transferring] })
  const to = (owner_email: string) =>
    kept.fleet.admin('POST', '/admin/instances/acme/transfer', { body: { owner_email }, wait: 60 })
  await kept.live(29 * day)
  assert.equal((await to('grace@example.com')).status, 200)
  await kept.live(2 * day)
  assert.ok(isKept(kept))
  const { deleted_at, purge_at } = await record(kept)
  assert.equal(Date.parse(purge_at ?? '') - Date.parse(deleted_at ?? ''), 30 * day)

  transfers = true
  await kept.live(29 * day)
  assert.equal(asked, 1)
  assert.ok(isKept(kept))
  await kept.live(30 * day)
  await isGone(kept)
})

test('only the operator restores and transfers', async t => {
  const { fleet } = await keptVolume(t)
  for (const path of ['restore', 'transfer']) {
    const headers = { Authorization: 'Bearer somebody-else-altogether' }
    const body = { owner_email: 'eve@example.com' }
    const reply = await fleet.admin('POST', `/admin/instances/acme/${path}`, { headers, body })
    assert.equal(reply.status, 401, path)
  }
  assert.equal((await record({ fleet })).owner_email, 'ada@example.com')
})
