import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { type TestFleet, testFleet } from '../fleet.fixture.ts'

const mark = '.longhouse-volume'

async function stoppedInstance(t: TestContext, fleet: TestFleet, subdomain = 'acme') {
  const { body } = await fleet.provision(subdomain)
  await fleet.admin('POST', `/admin/instances/${subdomain}/stop`, { wait: 60 })
  const volume = join(fleet.root, subdomain)
  writeFileSync(join(volume, 'precious'), 'data')
  return { id: body.id, volume, away: join(temporaryFolder(t), 'away') }
}

const start = (fleet: TestFleet) => fleet.admin('POST', '/admin/instances/acme/start', { wait: 60 })
const state = async (fleet: TestFleet) => (await fleet.admin('GET', '/admin/instances/acme')).body
const reconcile = (fleet: TestFleet) => fleet.program.runOnce('provisioner:reconcile')

test('an instance without its volume fails in words, gets no new one, and starts by itself once the volume is back', async t => {
  const fleet = await testFleet(t)
  const { id, volume, away } = await stoppedInstance(t, fleet)
  assert.equal(readFileSync(join(volume, mark), 'utf8').trim(), id)
  renameSync(volume, away)

  const failed = await start(fleet)
  assert.equal(failed.body.status, 'failed')
  assert.equal(failed.body.status_reason, `its volume is missing at ${volume}`)
  assert.equal(failed.body.volume_fault, 'missing')
  for (const verb of ['restart', 'upgrade', 'reset-password'])
    await fleet.admin('POST', `/admin/instances/acme/${verb}`, { body: {}, wait: 60 })
  for (let i = 0; i < 3; i++) await reconcile(fleet)
  assert.equal(existsSync(volume), false, 'no retry makes anything')

  // A disk that did not mount leaves an empty folder behind.
  mkdirSync(volume)
  await reconcile(fleet)
  const empty = await start(fleet)
  assert.equal(empty.body.status_reason, `its volume is missing at ${volume}; an empty folder stands there`)
  mkdirSync(join(volume, 'lost+found'))
  await start(fleet)
  await reconcile(fleet)
  assert.equal((await state(fleet)).status, 'failed')
  assert.deepEqual(readdirSync(volume), ['lost+found'])

  rmSync(volume, { recursive: true })
  renameSync(away, volume)
  await reconcile(fleet)
  await eventually('it runs again', async () => (await state(fleet)).status === 'running')
  assert.equal(readFileSync(join(volume, 'precious'), 'utf8'), 'data')
  assert.equal((await state(fleet)).volume_fault, null)
})

test('a control plane that boots before a disk is mounted creates nothing, and starts the instances once it is', async t => {
  const root = temporaryFolder(t)
  const first = await testFleet(t, { root })
  await first.provision('acme')
  await first.provision('other')
  await first.program.stop()
  const away = join(temporaryFolder(t), 'away')
  renameSync(join(root, 'acme'), away)
  mkdirSync(join(root, 'acme'))

  const second = await testFleet(t, { root })
  await eventually('it is failed', async () => (await state(second)).status === 'failed')
  await eventually('the other runs', async () => {
    return (await second.admin('GET', '/admin/instances/other')).body.status === 'running'
  })
  assert.deepEqual(readdirSync(join(root, 'acme')), [])
  assert.equal((await state(second)).operation?.kind, 'provision', 'no operation was opened in vain')
  rmSync(join(root, 'acme'), { recursive: true })
  renameSync(away, join(root, 'acme'))
  await reconcile(second)
  await eventually('it runs', async () => (await state(second)).status === 'running')
})

test('a restart without the volume leaves the running instance alone', async t => {
  const fleet = await testFleet(t)
  await fleet.provision('acme')
  const volume = join(fleet.root, 'acme')
  const away = join(temporaryFolder(t), 'away')
  renameSync(volume, away)
  const restarted = await fleet.admin('POST', '/admin/instances/acme/restart', { wait: 60 })
  assert.equal(restarted.body.operation?.status, 'failed')
  assert.match(restarted.body.operation?.error ?? '', /its volume is missing/)
  assert.equal(restarted.body.status, 'running')
  assert.equal(existsSync(volume), false)
  renameSync(away, volume)
})

test('the operator may start an instance with a new volume only when its own is missing', async t => {
  const fleet = await testFleet(t)
  const { id, volume } = await stoppedInstance(t, fleet)
  const startOver = (body = {}) => fleet.admin('POST', '/admin/instances/acme/begin-anew', { body, wait: 60 })
  assert.equal((await startOver()).status, 409)
  assert.equal(readFileSync(join(volume, 'precious'), 'utf8'), 'data')
  rmSync(volume, { recursive: true })
  assert.equal((await startOver({ adopt: true })).status, 409)
  const stranger = await fleet.admin('POST', '/admin/instances/acme/begin-anew', {
    body: {},
    headers: { Authorization: '' },
  })
  assert.equal(stranger.status, 401)
  assert.equal(existsSync(volume), false)

  const begun = await startOver()
  assert.deepEqual([begun.status, begun.body.status, begun.body.id], [200, 'running', id])
  assert.equal(readFileSync(join(volume, mark), 'utf8').trim(), id)
  // It counts once.
  await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  rmSync(volume, { recursive: true })
  assert.equal((await start(fleet)).body.status, 'failed')
})

test('an instance never starts on another’s volume, nor deletes it', async t => {
  const fleet = await testFleet(t)
  const { volume, away } = await stoppedInstance(t, fleet)
  const other = await fleet.provision('other', 'eve@example.com')
  await fleet.admin('POST', '/admin/instances/other/stop', { wait: 60 })
  renameSync(volume, away)
  renameSync(join(fleet.root, 'other'), volume)

  const failed = await start(fleet)
  assert.equal(failed.body.volume_fault, 'foreign')
  assert.match(failed.body.status_reason ?? '', new RegExp(`belongs to another instance, ${other.body.id}`))
  for (const adopt of [false, true]) {
    const refused = await fleet.admin<{ detail: string }>('POST', '/admin/instances/acme/begin-anew', {
      body: { adopt },
    })
    assert.equal(refused.status, 409)
    assert.match(refused.body.detail, /holds the volume of "other"/)
  }
  const purge = await fleet.admin('DELETE', '/admin/instances/acme?purge=true', { wait: 60 })
  assert.match(purge.body.operation?.error ?? '', /belongs to another instance, .* and was not deleted/)
  const anyway = await fleet.admin<{ detail: string }>(
    'DELETE',
    '/admin/instances/acme?purge=true&anyway=true',
  )
  assert.equal(anyway.status, 409)
  assert.match(anyway.body.detail, /holds the volume of "other"/)
  assert.equal(readFileSync(join(volume, mark), 'utf8').trim(), other.body.id)
  renameSync(volume, join(fleet.root, 'other'))
  const back = await fleet.admin('POST', '/admin/instances/other/start', { wait: 60 })
  assert.equal(back.body.status, 'running')
})

test('once volumes are marked, one without a mark has to be adopted', async t => {
  const fleet = await testFleet(t)
  const { id, volume } = await stoppedInstance(t, fleet)
  const elsewhere = temporaryFolder(t)
  writeFileSync(join(elsewhere, 'target'), id)
  const spoil: Record<string, () => void> = {
    'no mark': () => rmSync(join(volume, mark)),
    nonsense: () => writeFileSync(join(volume, mark), '../../etc/passwd\n'),
    'a link': () => {
      rmSync(join(volume, mark))
      symlinkSync(join(elsewhere, 'target'), join(volume, mark))
    },
    'a folder': () => {
      rmSync(join(volume, mark))
      mkdirSync(join(volume, mark))
    },
  }
  for (const [what, change] of Object.entries(spoil)) {
    change()
    const failed = await start(fleet)
    assert.equal(failed.body.volume_fault, 'foreign', what)
    const refused = await fleet.admin<{ errors?: { path: string }[] }>(
      'POST',
      '/admin/instances/acme/begin-anew',
      { body: {} },
    )
    assert.deepEqual([refused.status, refused.body.errors?.[0]?.path], [409, 'adopt'], what)
    if (what === 'a folder') rmSync(join(volume, mark), { recursive: true })
    const adopted = await fleet.admin('POST', '/admin/instances/acme/begin-anew', {
      body: { adopt: true },
      wait: 60,
    })
    assert.equal(adopted.body.status, 'running', what)
    assert.equal(readFileSync(join(volume, mark), 'utf8').trim(), id)
    assert.equal(readFileSync(join(volume, 'precious'), 'utf8'), 'data')
    await fleet.admin('POST', '/admin/instances/acme/stop', { wait: 60 })
  }
})

test('a copy of the volume of an instance that has a record is never adopted by another', async t => {
  const fleet = await testFleet(t)
  const { volume } = await stoppedInstance(t, fleet)
  cpSync(volume, join(fleet.root, 'copy'), { recursive: true })
  for (const adopt of [false, true]) {
    const refused = await fleet.admin('POST', '/admin/instances', {
      body: { subdomain: 'copy', owner_email: 'eve@example.com', adopt },
    })
    assert.equal(refused.status, 409)
  }
})

test('an instance that was never ready may get a new volume', async t => {
  const fleet = await testFleet(t)
  fleet.behave('acme', 'crash')
  assert.equal((await fleet.provision('acme')).body.status, 'failed')
  rmSync(join(fleet.root, 'acme'), { recursive: true })
  assert.equal((await start(fleet)).body.status, 'running')
})

test('volumes of an earlier version are marked at the first boot; missing ones stay missing', async t => {
  const root = temporaryFolder(t)
  const first = await testFleet(t, { root })
  const { id } = (await first.provision('acme')).body
  await first.provision('gone')
  await first.program.stop()
  // As an earlier version leaves it.
  const sqlite = new Database(join(root, '.control', 'longhouse.db'))
  sqlite.exec('update provisioner_instances set volume_marked_at = null')
  sqlite.close()
  for (const name of ['acme', 'gone']) rmSync(join(root, name, mark))
  const away = join(temporaryFolder(t), 'away')
  renameSync(join(root, 'gone'), away)

  const second = await testFleet(t, { root })
  assert.equal(readFileSync(join(root, 'acme', mark), 'utf8').trim(), id)
  await eventually('it runs', async () => (await state(second)).status === 'running')
  const gone = async () => (await second.admin('GET', '/admin/instances/gone')).body
  await eventually('the other is failed', async () => (await gone()).volume_fault === 'missing')
  assert.equal(existsSync(join(root, 'gone')), false)
  renameSync(away, join(root, 'gone'))
  await reconcile(second)
  await eventually('the other runs', async () => (await gone()).status === 'running')
  assert.equal(readFileSync(join(root, 'gone', mark), 'utf8').trim(), (await gone()).id)
})
