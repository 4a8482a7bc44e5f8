import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { manualClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { health, instanceServer, watching } from './instances.fixture.ts'
import { createPoller } from './poller.ts'

const patient = { timeoutMs: 30_000, atOnce: 64 }

test('a round looks at each watched instance once, and reports what it saw', async t => {
  const one = await instanceServer(t, health(200))
  const other = { ...(await instanceServer(t, health(503, { checks: { disk: 'failing' } }))), id: 'inst_2' }
  const { provisioner, seen } = watching(one, other)
  const clock = manualClock()
  await createPoller({ provisioner, clock, ...patient }).poll()
  const byId = new Map(seen.map(({ id, observation }) => [id, observation]))
  assert.equal(seen.length, 2)
  assert.deepEqual(byId.get('inst_1'), { healthy: true, at: clock.now() })
  assert.equal(byId.get('inst_2')?.healthy, false)
})

test('an instance that hangs delays no other, and is not asked a second time meanwhile', async t => {
  const hanging: ServerResponse[] = []
  const slow = await instanceServer(t, (_, response) => void hanging.push(response))
  const quick = { ...(await instanceServer(t, health(200, {}, { as: 'inst_2' }))), id: 'inst_2' }
  const { provisioner, seen } = watching(slow, quick)
  const poller = createPoller({ provisioner, clock: manualClock(), ...patient })
  const first = poller.poll()
  await eventually('the quick one was seen', () => seen.length === 1)
  const second = poller.poll()
  await eventually('the quick one was seen again', () => seen.length === 2)
  assert.deepEqual(
    seen.map(({ id }) => id),
    ['inst_2', 'inst_2'],
  )
  assert.equal(slow.requests.length, 1)
  for (const response of hanging) health(200)(slow.requests[0] as never, response)
  await Promise.all([first, second])
  assert.equal(seen.length, 3)
})

test('no more instances are asked at the same time than may be', async t => {
  const waiting: ServerResponse[] = []
  const server = await instanceServer(t, (_, response) => void waiting.push(response))
  const boxes = ['a', 'b', 'c', 'd', 'e'].map(id => ({ ...server, id }))
  const { provisioner, seen } = watching(...boxes)
  const poller = createPoller({ provisioner, clock: manualClock(), timeoutMs: 30_000, atOnce: 2 })
  const round = poller.poll()
  for (let done = 0; done < boxes.length; done++) {
    const response = await eventually('another is asked', () => waiting.shift())
    assert.ok(server.requests.length <= done + 2, `${server.requests.length} asked, ${done} answered`)
    response.end('no health document')
  }
  await round
  assert.equal(seen.length, boxes.length)
})

test('what was asked at an address that the instance has left is not reported', async t => {
  const instance = await instanceServer(t, health(200))
  const { instances, provisioner, seen } = watching(instance)
  const moving = {
    ...provisioner,
    watchedOne: () => ({ ...instance, port: instance.port + 1 }),
  }
  await createPoller({ provisioner: moving, clock: manualClock(), ...patient }).poll()
  assert.deepEqual(seen, [])
  instance.answer = (request, response) => {
    instances.length = 0
    health(200)(request, response)
  }
  await createPoller({ provisioner, clock: manualClock(), ...patient }).poll()
  assert.deepEqual(seen, [], 'it is not watched any more')
})

test('an instance that was started is followed until it is healthy: closely at first, then twice a second', async t => {
  const instance = await instanceServer(t, health(503, { status: 'starting' }))
  const { provisioner, seen } = watching(instance)
  const clock = manualClock()
  const pauses: number[] = []
  const sleeping = {
    ...clock,
    sleep: async (ms: number) => {
      pauses.push(ms)
      clock.advance(ms)
      if (clock.monotonic() > 6000) instance.answer = health(200)
    },
  }
  await createPoller({ provisioner, clock: sleeping, ...patient }).follow('inst_1')
  assert.ok(pauses.slice(0, 500).every(ms => ms === 10))
  assert.ok(pauses.slice(500).every(ms => ms === 500))
  assert.equal(seen.at(-1)?.observation.healthy, true)
  assert.equal(seen.length, pauses.length + 1)
})

test('instances that are started together share the looks: each one is looked at less closely', async t => {
  const server = await instanceServer(t, health(503, { status: 'starting' }))
  const ids = ['inst_1', 'inst_2', 'inst_3', 'inst_4']
  const { instances, provisioner } = watching(...ids.map(id => ({ ...server, id })))
  const clock = manualClock()
  const pauses: number[] = []
  const sleeping = {
    ...clock,
    sleep: async (ms: number) => {
      pauses.push(ms)
      // Once they are not watched any more, nothing is left to follow.
      if (pauses.length === 12) instances.length = 0
    },
  }
  const poller = createPoller({ provisioner, clock: sleeping, ...patient })
  await Promise.all(ids.map(id => poller.follow(id)))
  assert.deepEqual([...new Set(pauses.slice(0, 12))], [80])
})

test('an instance is followed once at a time, and rounds leave it alone meanwhile', async t => {
  const instance = await instanceServer(t, health(503))
  const { instances, provisioner, seen } = watching(instance)
  const clock = manualClock()
  const poller = createPoller({ provisioner, clock, ...patient })
  const following = poller.follow('inst_1')
  await eventually('the first look is over', () => seen.length === 1)
  await poller.follow('inst_1')
  await poller.poll()
  assert.equal(seen.length, 1)
  // Once it is not watched any more, nothing is left to follow.
  instances.length = 0
  clock.advance(20)
  await following
  assert.equal(seen.length, 1)
})

test('after the stop nothing is looked at or reported', async t => {
  const hanging: ServerResponse[] = []
  const instance = await instanceServer(t, (_, response) => void hanging.push(response))
  const { provisioner, seen } = watching(instance)
  const poller = createPoller({ provisioner, clock: manualClock(), ...patient })
  const round = poller.poll()
  const response = await eventually('it is asked', () => hanging.shift())
  poller.stop()
  health(200)(instance.requests[0] as never, response)
  await round
  await poller.poll()
  await poller.follow('inst_1')
  assert.deepEqual(seen, [])
  assert.equal(instance.requests.length, 1)
})
