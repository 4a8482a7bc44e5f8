import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { audit } from '../audit/index.ts'
import { overview } from '../overview/index.ts'
import { isNew, standing, upgradableFleet } from './upgrades.fixture.ts'

test('the fleet gets exactly one image, wave by wave, in the name of who started it', async t => {
  let meaning = 'sha256:two'
  const { fleet, start, instance, provisionAll } = await upgradableFleet(t, {
    findImage: image => (image === 'runtime:2' ? meaning : 'sha256:one'),
    start: spec => {
      // The name is given to another image while the fleet upgrade goes on.
      if (isNew(spec)) meaning = 'sha256:three'
    },
    plugins: [audit],
  })
  await provisionAll('amber', 'beryl', 'coral', 'delta')
  const { status, headers, body } = await start({ first: ['coral'], parallel: 5 }, 60)
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(headers.get('location'), `/admin/upgrades/${body.id}`)
  assert.deepEqual([body.state, body.image_id], ['done', 'sha256:two'])
  assert.deepEqual(
    body.instances.map(({ subdomain, wave, status }) => `${wave} ${subdomain} ${status}`),
    ['1 coral upgraded', '2 amber upgraded', '3 beryl upgraded', '3 delta upgraded'],
  )
  for (const { subdomain } of body.instances)
    assert.equal((await instance(subdomain)).image_id, 'sha256:two', subdomain)
  const times = body.instances.map(each => [each.started_at ?? '', each.finished_at ?? ''])
  assert.ok((times[0]?.[1] ?? '') <= (times[1]?.[0] ?? ''), 'a wave begins when the one before is over')
  assert.ok((times[1]?.[1] ?? '') <= (times[2]?.[0] ?? ''))
  const coral = await instance('coral')
  assert.equal(coral.operation?.actor?.kind, 'token')
  const log = await fleet.admin<{ entries: { action: string; target: string; result: string }[] }>(
    'GET',
    '/admin/audit?limit=100',
  )
  const lines = log.body.entries.map(({ action, target, result }) => `${action} ${target} ${result}`)
  assert.ok(lines.includes(`POST /admin/upgrades ${body.id} runtime:2 done`), lines.join('\n'))
  assert.ok(lines.includes('upgrade coral accepted') && lines.includes('upgrade coral done'))
})

test('a version that fails is put back, and no other instance gets it until an operator decides', async t => {
  const { fleet, start, post, get, instance, provisionAll, reaches } = await upgradableFleet(t, {
    start: (spec, volume) => {
      if (isNew(spec)) writeFileSync(join(volume, 'behave'), 'crash')
    },
    plugins: [overview],
  })
  await provisionAll('amber', 'beryl', 'coral')
  const { body } = await start({}, 60)
  assert.equal(body.state, 'halted')
  assert.match(body.reason ?? '', /1 instance failed .*\(amber\); it halts at 1/)
  assert.deepEqual(standing(body), ['amber failed', 'beryl waiting', 'coral waiting'])
  assert.match(body.instances[0]?.reason ?? '', /The previous image and data are back\.$/)
  assert.equal((await instance('amber')).status, 'running')
  assert.equal((await instance('beryl')).image, 'longhouse-runtime:latest')
  const { attention } = (
    await fleet.admin<{ attention: { kind: string; path: string; urgency: string }[] }>(
      'GET',
      '/admin/overview',
    )
  ).body
  const concern = attention.find(({ kind }) => kind === 'fleet-upgrade-halted')
  assert.deepEqual([concern?.urgency, concern?.path], ['alert', `/admin/upgrades/${body.id}`])
  assert.equal((await start()).status, 409, 'one at a time')

  assert.equal(
    (await post(`/${body.id}/resume`, {}, 60)).body.state,
    'halted',
    'the next failure halts it again',
  )
  assert.deepEqual(standing(await get(body.id)), ['amber failed', 'beryl failed', 'coral waiting'])
  const cancelled = await post(`/${body.id}/cancel`, {}, 60)
  assert.deepEqual([cancelled.status, cancelled.body.state], [200, 'cancelled'])
  assert.deepEqual(standing(cancelled.body), ['amber failed', 'beryl failed', 'coral skipped'])
  assert.equal((await post(`/${body.id}/resume`)).status, 409)
  const again = await start({ halt_after: 3 }, 60)
  assert.equal(again.body.state, 'halted')
  assert.match(again.body.reason ?? '', /No instance of wave 1 could be upgraded/)
  await post(`/${again.body.id}/cancel`)
  await reaches(again.body.id, 'it is cancelled', ({ state }) => state === 'cancelled')
})

test('paused, it begins nothing; resumed, it goes on', async t => {
  const gate = Promise.withResolvers<void>()
  const { start, post, get, provisionAll, reaches } = await upgradableFleet(t, {
    start: async spec => {
      if (isNew(spec)) await gate.promise
    },
  })
  await provisionAll('amber', 'beryl')
  const { status, body } = await start()
  assert.equal(status, 202)
  await reaches(body.id, 'amber is being upgraded', ({ instances }) => instances[0]?.status === 'upgrading')
  assert.equal((await post(`/${body.id}/pause`)).body.state, 'paused')
  assert.equal((await post(`/${body.id}/pause`)).status, 200, 'asked twice')
  gate.resolve()
  const paused = await reaches(
    body.id,
    'amber has it',
    ({ instances }) => instances[0]?.status === 'upgraded',
  )
  assert.deepEqual(standing(paused), ['amber upgraded', 'beryl waiting'])
  assert.equal((await get(body.id)).state, 'paused')
  assert.equal((await post(`/${body.id}/resume`, {}, 60)).body.state, 'done')
})

test('an undo rolls back one wave or all, with the data of before, the newest first; it says which it cannot', async t => {
  const { fleet, start, post, instance, provisionAll } = await upgradableFleet(t, {
    start: (spec, volume) => {
      if (isNew(spec)) writeFileSync(join(volume, 'precious'), 'migrated')
    },
  })
  await provisionAll('amber', 'beryl', 'coral', 'delta')
  const file = (name: string) => join(fleet.root, name, 'precious')
  for (const name of ['amber', 'beryl', 'coral', 'delta']) writeFileSync(file(name), 'of before')
  const before = await instance('delta')
  const { body } = await start({}, 60)
  assert.equal(body.state, 'done')
  assert.equal((await post(`/${body.id}/undo`, { wave: 9 })).status, 409)
  assert.equal((await post(`/${body.id}/undo`, { wave: 0 })).body.errors?.[0]?.path, 'wave')

  const wave = (await post(`/${body.id}/undo`, { wave: 3 }, 60)).body
  assert.equal(wave.state, 'undone')
  assert.deepEqual(standing(wave), [
    'amber upgraded',
    'beryl upgraded',
    'coral rolled-back',
    'delta rolled-back',
  ])
  const back = await instance('delta')
  assert.deepEqual([back.image_id, back.operation?.kind], [before.image_id, 'rollback'])

  await fleet.admin('POST', '/admin/instances/beryl/upgrade', { body: { image: 'runtime:3' }, wait: 60 })
  const all = (await post(`/${body.id}/undo`, {}, 60)).body
  assert.equal(all.state, 'undone')
  assert.match(all.reason ?? '', /Not rolled back: beryl/)
  assert.deepEqual(standing(all), [
    'amber rolled-back',
    'beryl kept',
    'coral rolled-back',
    'delta rolled-back',
  ])
  assert.match(all.instances[1]?.reason ?? '', /It was upgraded again/)
  assert.equal((await post(`/${body.id}/undo`)).status, 409, 'nothing is left')
})

test('undone while it goes on: what is in progress ends first, and is rolled back before the others', async t => {
  const gate = Promise.withResolvers<void>()
  const rolledBack: string[] = []
  const { start, post, provisionAll, reaches } = await upgradableFleet(t, {
    start: async spec => {
      if (isNew(spec) && spec.subdomain === 'coral') await gate.promise
      if (!isNew(spec) && spec.subdomain !== 'delta') rolledBack.push(spec.subdomain)
    },
  })
  await provisionAll('amber', 'beryl', 'coral', 'delta')
  rolledBack.length = 0
  const { body } = await start({ parallel: 1 })
  await reaches(body.id, 'coral is being upgraded', ({ instances }) => instances[2]?.status === 'upgrading')
  assert.equal((await post(`/${body.id}/undo`)).body.state, 'undoing')
  gate.resolve()
  const undone = await reaches(body.id, 'it is undone', ({ state }) => state === 'undone')
  assert.deepEqual(standing(undone), [
    'amber rolled-back',
    'beryl rolled-back',
    'coral rolled-back',
    'delta skipped',
  ])
  assert.deepEqual(rolledBack, ['coral', 'beryl', 'amber'])
})

test('what is stopped, suspended, removed, broken or changed meanwhile is treated in words', async t => {
  const gate = Promise.withResolvers<void>()
  const { fleet, start, instance, provisionAll, reaches } = await upgradableFleet(t, {
    start: async spec => {
      if (isNew(spec) && spec.subdomain === 'amber') await gate.promise
    },
  })
  const names = ['amber', 'beryl', 'coral', 'delta', 'ebony', 'flint']
  await provisionAll(...names)
  await fleet.admin('POST', '/admin/instances/flint/stop', { wait: 60 })
  const boots = (await instance('flint')).operation?.id
  const { body } = await start({ parallel: 5 })
  await reaches(body.id, 'amber is being upgraded', ({ instances }) => instances[0]?.status === 'upgrading')
  await fleet.admin('POST', '/admin/instances/beryl/upgrade', { body: { image: 'runtime:3' }, wait: 60 })
  await fleet.admin('DELETE', '/admin/instances/coral', { wait: 60 })
  fleet.program.services.provisioner?.suspend((await instance('delta')).id, 'The invoice is not paid.')
  await eventually('delta is stopped', async () => (await instance('delta')).status === 'stopped')
  fleet.behave('ebony', 'full')
  await eventually('ebony is unhealthy', async () => (await instance('ebony')).status === 'unhealthy')
  gate.resolve()
  const done = await reaches(body.id, 'it is over', ({ finished_at }) => finished_at !== null)
  const of = (name: string) => done.instances.find(({ subdomain }) => subdomain === name)
  assert.equal(done.state, 'done')
  assert.equal(of('amber')?.status, 'upgraded')
  assert.match(of('beryl')?.reason ?? '', /given another image/)
  assert.match(of('coral')?.reason ?? '', /removed/)
  assert.match(of('delta')?.reason ?? '', /suspended/)
  assert.match(of('ebony')?.reason ?? '', /was unhealthy before its upgrade.*disk/)
  for (const name of ['beryl', 'coral', 'delta', 'ebony']) assert.equal(of(name)?.status, 'skipped')
  const flint = await instance('flint')
  assert.deepEqual(
    [of('flint')?.status, flint.status, flint.image_id],
    ['upgraded', 'stopped', 'sha256:runtime:2'],
  )
  assert.notEqual(flint.operation?.id, boots)
})

test('other work on an instance is waited for, and never replaced', async t => {
  const gate = Promise.withResolvers<void>()
  let holds = false
  const { fleet, start, instance, provisionAll, reaches } = await upgradableFleet(t, {
    start: async spec => {
      if (holds && !isNew(spec) && spec.subdomain === 'beryl') await gate.promise
    },
  })
  await provisionAll('amber', 'beryl')
  holds = true
  await fleet.admin('POST', '/admin/instances/beryl/restart')
  const { body } = await start()
  await reaches(body.id, 'amber has it', ({ instances }) => instances[0]?.status === 'upgraded')
  await fleet.program.runOnce('upgrades:advance')
  await fleet.program.runOnce('upgrades:advance')
  const restart = (await instance('beryl')).operation
  assert.deepEqual([restart?.kind, restart?.status], ['restart', 'running'])
  gate.resolve()
  const done = await reaches(body.id, 'it is over', ({ state }) => state === 'done')
  assert.deepEqual(standing(done), ['amber upgraded', 'beryl upgraded'])
})

test('between two waves it waits, and an instance that becomes unhealthy meanwhile halts it', async t => {
  let jumpMs = 0
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + jumpMs }
  const { fleet, start, post, get, instance, provisionAll, reaches } = await upgradableFleet(t, { clock })
  await provisionAll('amber', 'beryl', 'coral')
  const { body } = await start({ soak: '2h' })
  await reaches(body.id, 'the first wave is over', ({ instances }) => instances[0]?.status === 'upgraded')
  jumpMs += 3_600_000
  await fleet.program.runOnce('upgrades:advance')
  assert.deepEqual(standing(await get(body.id)), ['amber upgraded', 'beryl waiting', 'coral waiting'])
  jumpMs += 3_600_000
  await fleet.program.runOnce('upgrades:advance')
  await reaches(body.id, 'the second wave is over', ({ instances }) => instances[1]?.status === 'upgraded')
  fleet.behave('amber', 'full')
  await eventually('amber is unhealthy', async () => (await instance('amber')).status === 'unhealthy')
  jumpMs += 7_200_000
  const halted = await reaches(body.id, 'it halts', ({ state }) => state === 'halted')
  assert.deepEqual(standing(halted), ['amber unhealthy', 'beryl upgraded', 'coral waiting'])
  rmSync(join(fleet.root, 'amber', 'behave'))
  await eventually('amber is well again', async () => (await instance('amber')).status === 'running')
  await reaches(body.id, 'that is seen', ({ instances }) => instances[0]?.status === 'upgraded')
  await post(`/${body.id}/resume`)
  jumpMs += 7_200_000
  const done = await reaches(body.id, 'it is over', ({ state }) => state === 'done')
  assert.deepEqual(standing(done), ['amber upgraded', 'beryl upgraded', 'coral upgraded'])
})

test('a control plane that stops after every round brings a fleet upgrade, and its undo, to the end', async t => {
  const root = temporaryFolder(t)
  const open = () => upgradableFleet(t, { root })
  let now = await open()
  await now.provisionAll('amber', 'beryl', 'coral')
  const { body } = await now.start()
  const toTheEnd = async (end: string) => {
    for (let restarts = 0; restarts < 30; restarts++) {
      await now.fleet.program.stop()
      now = await open()
      await now.fleet.program.runOnce('upgrades:advance')
      if ((await now.get(body.id)).state === end) return
    }
    // Each start must also start the instances; given more than a moment, it is done.
    await now.reaches(body.id, end, ({ state }) => state === end)
  }
  await toTheEnd('done')
  assert.deepEqual(standing(await now.get(body.id)), ['amber upgraded', 'beryl upgraded', 'coral upgraded'])
  const upgraded = await now.get(body.id)
  assert.equal(new Set(upgraded.instances.map(({ operation_id }) => operation_id)).size, 3)
  await now.post(`/${body.id}/undo`)
  await toTheEnd('undone')
  assert.deepEqual(
    standing(await now.get(body.id)),
    ['amber', 'beryl', 'coral'].map(name => `${name} rolled-back`),
  )
  assert.equal((await now.instance('amber')).image, 'longhouse-runtime:latest')
})
