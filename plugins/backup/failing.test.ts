import assert from 'node:assert/strict'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Concern } from '../../src/kernel/concern.ts'
import { setClock } from '../../src/testing/clock.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { overview } from '../overview/index.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

const hour = 3_600_000

/** A fleet with an instance that has a backup, and what its operator sees. */
async function watchedFleet(t: TestContext, env: Record<string, string> = {}) {
  const clock = setClock()
  const fleet = await testFleet(t, {
    plugins: [backup, overview],
    env: { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms', ...env },
    clock,
  })
  await fleet.provision('acme')
  const store = join(fleet.root, '.control/backups')
  const path = '/admin/instances/acme'
  const copy = async () => await fleet.admin<WireBackup>('POST', `${path}/backup`, { wait: 100 })
  const copies = async () =>
    (await fleet.admin<{ backups: WireBackup[] }>('GET', `${path}/backups`)).body.backups
  const { body, status } = await copy()
  assert.equal(status, 201)
  return {
    ...{ fleet, clock, store, copy, copies },
    first: body,
    verify: async (id = body.id) =>
      await fleet.admin<WireBackup & { detail: string; type: string }>(
        'POST',
        `${path}/backups/${id}/verify`,
        {
          wait: 100,
        },
      ),
    lose: () => renameSync(store, `${store}.elsewhere`),
    find: () => renameSync(`${store}.elsewhere`, store),
    told: async () => {
      const { body } = await fleet.admin<{ attention: Concern[] }>('GET', '/admin/overview')
      return body.attention.filter(({ kind }) => kind.startsWith('backup-'))
    },
  }
}

test('the operator learns at once that a backup failed, and that the next one was made', {
  skip: noRestic,
}, async t => {
  const { fleet, clock, copy, lose, find, told } = await watchedFleet(t, { BACKUP_EVERY: '24h' })
  assert.deepEqual(await told(), [])
  lose()
  assert.equal((await copy()).status, 502)
  const kinds = async () => (await told()).map(({ kind }) => kind).sort()
  assert.deepEqual(await kinds(), ['backup-failed', 'backup-store'])
  const failed = (await told()).find(({ kind }) => kind === 'backup-failed')
  assert.match(
    failed?.summary ?? '',
    /^The newest backup of acme could not be made: .*no such file or directory/,
  )
  find()
  clock.advance(2 * hour)
  await fleet.program.runOnce('backup:copy')
  assert.deepEqual(await kinds(), ['backup-failed'], 'the store is back, and no backup was tried')
  assert.equal((await copy()).status, 201)
  assert.deepEqual(await told(), [])

  lose()
  clock.advance(50 * hour)
  await fleet.program.runOnce('backup:copy')
  assert.deepEqual(await kinds(), ['backup-overdue', 'backup-store'])
  find()
  clock.advance(2 * hour)
  await fleet.program.runOnce('backup:copy')
  assert.deepEqual(await told(), [])
})

test('a store that is away says nothing about a backup that was proven; one that has lost its data does', {
  skip: noRestic,
}, async t => {
  const { fleet, clock, store, copies, verify, lose, find, told, first } = await watchedFleet(t, {
    BACKUP_PROVE_EVERY: '7d',
  })
  assert.equal((await verify()).status, 200)
  const [proven] = await copies()
  assert.ok(proven?.verified_at)
  lose()
  const away = await verify()
  assert.equal(away.status, 503, JSON.stringify(away.body))
  assert.match(away.body.type, /not-tried$/)
  assert.match(
    away.body.detail,
    /^The backup could not be tried, and is kept: .*(no such file|there is no store)/i,
  )
  assert.deepEqual(await copies(), [proven], 'its record stays as it was')
  clock.advance(8 * 24 * hour)
  await fleet.program.runOnce('backup:prove')
  assert.deepEqual(await copies(), [proven])
  assert.deepEqual((await told()).map(({ kind }) => kind).sort(), ['backup-proofs', 'backup-store'])
  find()
  await fleet.program.runOnce('backup:prove')
  assert.deepEqual(await copies(), [proven], 'not every five minutes')
  clock.advance(hour)
  await fleet.program.runOnce('backup:prove')
  assert.ok(((await copies())[0]?.verified_at ?? '') > proven.verified_at, 'it is tried again soon')
  assert.deepEqual(await told(), [])

  const data = join(store, 'data')
  for (const folder of readdirSync(data)) rmSync(join(data, folder), { recursive: true })
  const lost = await verify()
  assert.equal(lost.status, 502, JSON.stringify(lost.body))
  assert.deepEqual(
    (await copies()).map(({ id, verified_at }) => [id, verified_at]),
    [[first.id, null]],
  )
  const [failed, ...others] = await told()
  assert.deepEqual([failed?.kind, others], ['backup-failed', []])
  assert.match(failed?.summary ?? '', /^The newest backup of acme does not work: restic/)
})

test('a backup that is verified twice at the same time is proven', { skip: noRestic }, async t => {
  const { copies, verify } = await watchedFleet(t)
  const answers = await Promise.all([verify(), verify(), verify()])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
    JSON.stringify(answers.map(({ body }) => body)),
  )
  const [copy] = await copies()
  assert.notEqual(copy?.verified_at, null)
})

test('a folder that is not the instance’s own is not backed up as its data', { skip: noRestic }, async t => {
  const { fleet, copy, copies, first } = await watchedFleet(t)
  const volume = join(fleet.root, 'acme')
  const mark = join(volume, '.longhouse-volume')
  const own = readFileSync(mark)
  writeFileSync(mark, 'inst_of_another\n')
  const refused = await copy()
  assert.equal(refused.status, 502)
  assert.match(
    JSON.stringify(refused.body),
    /belongs to another instance, inst_of_another; nothing was backed up/,
  )
  const download = async () => await fleet.admin<string>('GET', '/admin/instances/acme/archive')
  const kept = await download()
  assert.deepEqual([kept.status, /not in their place/.test(JSON.stringify(kept.body))], [503, true])
  rmSync(mark)
  renameSync(join(volume, 'longhouse.db'), join(fleet.root, 'aside.db'))
  const empty = await copy()
  assert.equal(empty.status, 502)
  assert.match(JSON.stringify(empty.body), /its volume is missing at .*; nothing was backed up/)
  assert.deepEqual(await copies(), [first])
  writeFileSync(mark, own)
  renameSync(join(fleet.root, 'aside.db'), join(volume, 'longhouse.db'))
  assert.equal((await copy()).status, 201)
  assert.equal((await download()).status, 200)
})
