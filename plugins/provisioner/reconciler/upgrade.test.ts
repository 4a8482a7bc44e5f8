import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { type Driver, DriverError, type InstanceSpec } from '../driver.ts'
import { testFleet } from '../fleet.fixture.ts'
import { withImages } from '../images.fixture.ts'

/** Real processes that are said to be made from images. `start` is called before one starts, as its new version. */
async function upgradable(
  t: TestContext,
  start: (spec: InstanceSpec, volume: string) => void = () => {},
  change: (driver: Driver) => Partial<Driver> = () => ({}),
) {
  const fleet = await testFleet(t, {
    driver: real => {
      const driver = withImages(real, { start })
      return { ...driver, ...change(driver) }
    },
  })
  const file = (name: string) => join(fleet.root, 'acme', name)
  const ask = (verb: string, body?: object) =>
    fleet.admin('POST', `/admin/instances/acme/${verb}`, { ...(body && { body }), wait: 60 })
  return { fleet, file, ask }
}

const isNew = ({ image }: InstanceSpec) => image === 'runtime:2'

test('an upgrade to a version that ends puts image and data back, and says that it failed', async t => {
  const { fleet, file, ask } = await upgradable(t, (spec, volume) => {
    if (!isNew(spec)) return
    writeFileSync(join(volume, 'precious'), 'migrated')
    writeFileSync(join(volume, 'behave'), 'crash')
  })
  const before = (await fleet.provision('acme')).body
  writeFileSync(file('precious'), 'of before')
  mkdirSync(file('packages'))
  writeFileSync(file('packages/large'), 'made again')
  const { body } = await ask('upgrade', { image: 'runtime:2' })
  assert.deepEqual([body.operation?.kind, body.operation?.status], ['upgrade', 'failed'])
  assert.match(body.operation?.error ?? '', /^start container: .*line two of the disaster/s)
  assert.match(body.operation?.error ?? '', /The previous image and data are back\.$/)
  assert.deepEqual([body.status, body.image, body.image_id], ['running', before.image, before.image_id])
  assert.equal(readFileSync(file('precious'), 'utf8'), 'of before')
  assert.equal(existsSync(file('behave')), false)
  assert.equal(readFileSync(file('packages/large'), 'utf8'), 'made again', 'it came along')
  assert.equal((await fleet.visit('acme')).status, 200)
  assert.equal((await ask('rollback')).status, 409, 'there is nothing to go back to')
  assert.equal((await ask('restart')).body.image_id, before.image_id)
  for (const left of ['restores', 'upgrades'])
    assert.deepEqual(existsSync(join(fleet.root, '.control', left, body.id, 'data')), false)
})

test('an image of another product is refused before anything stops, also one that has to be pulled first', async t => {
  let isThere = true
  const { fleet, ask } = await upgradable(t, undefined, () => ({
    findImage: async image => (image === 'other/product:1' && !isThere ? null : `sha256:${image}`),
    isRuntime: async id => id !== 'sha256:other/product:1',
  }))
  const before = (await fleet.provision('acme')).body
  const refused = await ask('upgrade', { image: 'other/product:1' })
  assert.equal(refused.status, 422)
  assert.match(JSON.stringify(refused.body), /"image","message":"must be Longhouse’s runtime/)
  isThere = false
  const { body } = await ask('upgrade', { image: 'other/product:1' })
  assert.match(body.operation?.error ?? '', /^prepare image: .*"other\/product:1" is not/)
  const steps = (await fleet.admin('GET', `/admin/operations/${body.operation?.id}`)).body
  assert.doesNotMatch(JSON.stringify(steps), /"name":"stop container","status":"(done|running)"/)
  assert.deepEqual([body.status, body.image, body.image_id], ['running', before.image, before.image_id])
  assert.equal((await ask('upgrade', { image: 'runtime:2' })).body.operation?.status, 'succeeded')
})

test('a version whose checks fail is taken back, and no request reaches it', async t => {
  const { fleet, ask } = await upgradable(t, (spec, volume) => {
    if (isNew(spec)) writeFileSync(join(volume, 'behave'), 'full')
  })
  await fleet.provision('acme')
  const reached: unknown[] = []
  let over = false
  const upgrading = ask('upgrade', { image: 'runtime:2' }).finally(() => {
    over = true
  })
  while (!over) {
    const reply = await fleet.visit('acme', '/x')
    reached.push(reply.status === 200 ? reply.json<{ status: string }>().status : reply.status)
  }
  const { body } = await upgrading
  assert.match(body.operation?.error ?? '', /its checks fail: disk: the disk is full/)
  assert.match(body.operation?.error ?? '', /are back\.$/)
  assert.equal(body.status, 'running')
  assert.deepEqual([...new Set(reached)], ['well'], 'held, and answered by the version of before')
})

test('data of before that cannot be kept: the new version is not started', async t => {
  const { fleet, file, ask } = await upgradable(t, spec => assert.ok(!isNew(spec)))
  const before = (await fleet.provision('acme')).body
  const upgrades = join(fleet.root, '.control', 'upgrades')
  writeFileSync(upgrades, 'in the way')
  const { body } = await ask('upgrade', { image: 'runtime:2' })
  assert.match(body.operation?.error ?? '', /^keep data: /)
  assert.deepEqual([body.status, body.image_id], ['running', before.image_id])
  assert.ok(existsSync(file('boots')))
})

test('an upgraded instance goes back to the image and the data of before, once', async t => {
  const { fleet, file, ask } = await upgradable(t, (spec, volume) => {
    if (isNew(spec)) writeFileSync(join(volume, 'precious'), 'migrated')
  })
  const before = (await fleet.provision('acme')).body
  assert.equal((await ask('rollback')).status, 409)
  writeFileSync(file('precious'), 'of before')
  const upgraded = (await ask('upgrade', { image: 'runtime:2' })).body
  assert.deepEqual([upgraded.status, upgraded.image_id], ['running', 'sha256:runtime:2'])
  assert.equal(readFileSync(file('precious'), 'utf8'), 'migrated')
  await ask('restart')
  const back = (await ask('rollback')).body
  assert.deepEqual([back.operation?.kind, back.operation?.status], ['rollback', 'succeeded'])
  assert.deepEqual([back.status, back.image, back.image_id], ['running', before.image, before.image_id])
  assert.equal(readFileSync(file('precious'), 'utf8'), 'of before')
  assert.equal((await ask('rollback')).status, 409)
  assert.equal((await fleet.visit('acme')).status, 200)
})

test('a stopped instance is upgraded and goes back without being started', async t => {
  const { fleet, file, ask } = await upgradable(t)
  const before = (await fleet.provision('acme')).body
  await ask('stop')
  const boots = () => readFileSync(file('boots'), 'utf8')
  const booted = boots()
  assert.equal((await ask('upgrade', { image: 'runtime:2' })).body.image_id, 'sha256:runtime:2')
  const back = (await ask('rollback')).body
  assert.deepEqual(
    [back.status, back.image_id, back.operation?.status],
    ['stopped', before.image_id, 'succeeded'],
  )
  assert.equal(boots(), booted)
})

test('going back to a version that no longer starts fails, and the version and the data of now stay', async t => {
  let broken = false
  const { fleet, file, ask } = await upgradable(t, (spec, volume) => {
    if (broken && !isNew(spec)) writeFileSync(join(volume, 'behave'), 'crash')
  })
  await fleet.provision('acme')
  await ask('upgrade', { image: 'runtime:2' })
  writeFileSync(file('precious'), 'of now')
  broken = true
  const failed = (await ask('rollback')).body
  assert.equal(failed.operation?.status, 'failed')
  assert.match(failed.operation?.error ?? '', /The image and the data that it had are back\.$/)
  assert.deepEqual([failed.status, failed.image_id], ['running', 'sha256:runtime:2'])
  assert.equal(readFileSync(file('precious'), 'utf8'), 'of now')
  broken = false
  assert.equal((await ask('rollback')).body.operation?.status, 'succeeded', 'what was kept is still there')
})

test('a due time that the version taken back has run is not run again', async t => {
  const table =
    'create table if not exists jobs_slots (jobId text, at integer, outcome text, reason text, runId text, decidedAt integer, primary key (jobId, at))'
  const insert = (volume: string, at: number) => {
    const database = new Database(join(volume, 'longhouse.db'))
    database.exec(table)
    database.prepare("insert or ignore into jobs_slots values ('digest', ?, 'ran', null, 'run_1', 0)").run(at)
    database.close()
  }
  let fails = true
  const { fleet, file, ask } = await upgradable(t, (spec, volume) => {
    if (!isNew(spec)) return
    insert(volume, 2)
    if (fails) writeFileSync(join(volume, 'behave'), 'crash')
  })
  const slots = () => {
    const database = new Database(file('longhouse.db'), { readonly: true })
    const found = database.prepare('select at, runId from jobs_slots order by at').raw().all()
    database.close()
    return found
  }
  await fleet.provision('acme')
  insert(join(fleet.root, 'acme'), 1)
  assert.equal((await ask('upgrade', { image: 'runtime:2' })).body.operation?.status, 'failed')
  assert.deepEqual(slots(), [
    [1, 'run_1'],
    [2, null],
  ])
  fails = false
  await ask('upgrade', { image: 'runtime:2' })
  insert(join(fleet.root, 'acme'), 3)
  await ask('rollback')
  assert.deepEqual(slots(), [
    [1, 'run_1'],
    [2, null],
    [3, null],
  ])
})

test('an upgrade whose preparations fail leaves the record with the image that runs', async t => {
  const { fleet, ask } = await upgradable(
    t,
    () => {},
    () => ({
      stop: async () => {
        throw new DriverError('the engine does not answer', { permanent: true })
      },
    }),
  )
  const before = (await fleet.provision('acme')).body
  const { body } = await ask('upgrade', { image: 'runtime:2' })
  assert.equal(body.operation?.status, 'failed')
  assert.equal(body.image_id, before.image_id)
  assert.equal(statSync(join(fleet.root, 'acme')).isDirectory(), true)
})

test('pages and lists say which instances are behind, and offer to upgrade them and to go back', async t => {
  const { fleet, ask } = await upgradable(t)
  await fleet.provision('acme')
  await fleet.program.runOnce('provisioner:look-at-image')
  const list = async (query = '') =>
    (await fleet.admin<{ behind: number; total: number }>('GET', `/admin/instances${query}`)).body
  const page = async () =>
    (await fleet.admin<string>('GET', '/admin/instances/acme', { headers: { Accept: 'text/html' } })).body
  assert.deepEqual([(await list()).behind, (await list('?behind=true')).total], [0, 0])
  assert.doesNotMatch(await page(), /behind|Roll back/)
  const { body } = await ask('upgrade', { image: 'runtime:2' })
  assert.deepEqual([body.behind, body.rollback?.image], [true, 'longhouse-runtime:latest'])
  assert.deepEqual([(await list()).behind, (await list('?behind=true')).total], [1, 1])
  const html = await page()
  assert.match(html, /Upgrade: behind/)
  assert.match(html, /action="\/admin\/instances\/acme\/rollback"/)
  const back = (await ask('rollback')).body
  assert.deepEqual([back.behind, back.rollback], [false, null])
})
