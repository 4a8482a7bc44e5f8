import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { manualClock } from '../../../src/testing/clock.ts'
import { addedBoundsMs, type EdgeReport, latencyBoundsMs } from '../contract.ts'
import { startEdge } from '../edge.fixture.ts'
import { ask, eventually, route, startInstance, wire } from '../wire.fixture.ts'
import { EdgeTally } from './tally.ts'
import { EdgeTotals, mergeReports } from './totals.ts'

const totals = (series = 0, clock = manualClock()) => new EdgeTotals({ series, clock })
const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)

test('requests of an instance are counted by class, with the bytes of their bodies', async t => {
  const edge = await startEdge({ ROUTER_INSTANCE_LIMIT: '1' })
  const instance = await startInstance('inst_a', (request, response) => {
    if (request.url === '/cut')
      response.writeHead(200, { 'Content-Length': 10 }).write('cut', () => response.destroy())
    else
      request.resume().on('end', () => response.writeHead(request.url === '/none' ? 404 : 200).end('12345'))
  })
  t.after(async () => {
    await edge.stop()
    await instance.close()
  })
  route(edge, 'a', instance)
  edge.router.set('b', { state: 'stopped', instanceId: 'inst_b' })
  const of = (id: string) => edge.router.traffic().find(each => each.instanceId === id)
  const idle = (id: string) => eventually(() => of(id)?.inProgress === 0)

  await ask(edge, 'a.localhost', { method: 'POST', body: 'äöü' })
  await idle('inst_a')
  await ask(edge, 'a.localhost', { path: '/none' })
  await idle('inst_a')
  await assert.rejects(ask(edge, 'a.localhost', { path: '/cut' }))
  await idle('inst_a')
  await ask(edge, 'b.localhost')
  await idle('inst_b')
  await ask(edge, 'nobody.localhost')

  const a = of('inst_a')
  assert.equal(a?.subdomain, 'a')
  assert.deepEqual(a?.answers, [0, 1, 0, 1, 0])
  assert.equal(a?.broken, 1)
  assert.equal(a?.bytesIn, 6)
  assert.equal(a?.bytesOut, 13)
  assert.equal(sum(a?.latency.counts ?? []), 2)
  assert.deepEqual(of('inst_b')?.answers, [0, 0, 0, 0, 1])
  assert.equal(edge.router.traffic().length, 2)
})

test('a tunnel is an answer with 101, and its bytes are counted while it lasts', async t => {
  const edge = await startEdge()
  const instance = await startInstance('inst_a')
  instance.server.on('upgrade', (_, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: inst_a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    )
    socket.pipe(socket)
  })
  t.after(async () => {
    await edge.stop()
    await instance.close()
  })
  route(edge, 'a', instance)
  const line = wire(
    edge,
    'GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
  )
  await line.until(/101/)
  line.write('ping')
  await line.until(/ping/)
  const during = edge.router.traffic()[0]
  assert.deepEqual([during?.bytesIn, during?.bytesOut, during?.inProgress], [4, 4, 1])
  line.socket.end()
  await once(line.socket, 'close')
  await eventually(() => edge.router.traffic()[0]?.inProgress === 0)
  const after = edge.router.traffic()[0]
  assert.deepEqual([after?.answers, after?.broken, after?.upgraded], [[1, 0, 0, 0, 0], 0, 1])
  assert.deepEqual([after?.bytesIn, after?.bytesOut], [4, 4])
})

const quiet = { held: 0, logDropped: 0 }

test('a report has what is new since the last one; a quiet instance is not in it', () => {
  const tally = new EdgeTally()
  const counts = tally.of('inst_a', 'a')
  counts.begin()
  assert.equal(tally.report(quiet).instances[0]?.inProgress, 1)
  assert.equal(tally.report(quiet).instances.length, 1, 'a request is in progress')
  counts.answered(200, 15)
  tally.added(0.3)
  tally.refused('crowded')
  const { instances, added, refused } = tally.report({ held: 2, logDropped: 0 })
  assert.deepEqual(instances[0]?.answers, [0, 1, 0, 0, 0])
  assert.equal(instances[0]?.latency.counts[latencyBoundsMs.indexOf(20)], 1)
  assert.equal(added.counts[addedBoundsMs.indexOf(0.5)], 1)
  assert.deepEqual(refused, { crowded: 1 })
  assert.deepEqual(tally.report(quiet).instances, [])
  tally.of('inst_a', 'a').refused()
  assert.deepEqual(
    tally.report(quiet).instances.map(({ answers, refused }) => [sum(answers), refused]),
    [[0, 1]],
  )
})

test('the sum of merged reports is the sum of the reports, and survives JSON', () => {
  const report = (status: number, ms: number): EdgeReport => {
    const tally = new EdgeTally()
    for (const id of ['inst_a', `inst_${status}`]) {
      tally.of(id, id).begin()
      tally.of(id, id).begin()
      tally.of(id, id).answered(status, ms)
    }
    tally.added(ms)
    tally.refused('crowded')
    tally.answeredHere(`problem-${status}`)
    return JSON.parse(JSON.stringify(tally.report({ held: 1, logDropped: 3 })))
  }
  const reports = [report(200, 1), report(404, 100_000), report(500, 7)] as const
  const apart = totals()
  for (const [index, each] of reports.entries()) apart.add(each, `worker ${index}`)
  const merged = totals()
  merged.add(mergeReports(reports))
  const sorted = (all: EdgeTotals) =>
    all.instances().sort((one, other) => (one.instanceId < other.instanceId ? -1 : 1))
  assert.deepEqual(sorted(merged), sorted(apart))
  assert.deepEqual(merged.metrics(), apart.metrics())
  const a = merged.instances().find(({ instanceId }) => instanceId === 'inst_a')
  assert.deepEqual(a?.answers, [0, 1, 0, 1, 1])
  assert.equal(a?.inProgress, 3)
  assert.equal(a?.latency.counts.at(-1), 1)
  assert.equal(a?.latency.sumMs, 100_008)
  apart.ended('worker 0')
  assert.equal(apart.instances().find(({ instanceId }) => instanceId === 'inst_a')?.inProgress, 2)
})

test('series of single instances are as many as is set, never fall, and together are all requests', () => {
  const clock = manualClock()
  const all = totals(3, clock)
  const tally = new EdgeTally()
  const before = new Map<string, number>()
  let requests = 0
  const round = (busy: number) => {
    for (let instance = 0; instance < 50; instance++) {
      for (let time = instance === busy ? 100 : 1; time > 0; time--) {
        tally.of(`inst_${instance}`, `name-${instance}`).begin()
        tally.of(`inst_${instance}`, `name-${instance}`).answered(200, 3)
        requests++
      }
    }
    all.add(tally.report(quiet))
    clock.advance(10 * 60_000)
    const samples =
      all.metrics().find(({ name }) => name === 'longhouse_instance_requests_total')?.samples ?? []
    const names = new Set(samples.map(([{ subdomain = '' }]) => subdomain))
    assert.equal(names.size, 4)
    assert.ok(names.has('_other'))
    for (const [{ subdomain = '', status }, value] of samples) {
      if (status !== '2xx') continue
      // One that is new, or back, begins again.
      if (before.has(subdomain)) assert.ok(value >= (before.get(subdomain) ?? 0), subdomain)
      before.set(subdomain, value)
    }
    for (const name of before.keys()) if (!names.has(name)) before.delete(name)
    return names
  }
  assert.deepEqual([...round(40)], ['name-0', 'name-1', 'name-2', '_other'])
  assert.equal(sum([...before.values()]), requests)
  assert.ok(round(40).has('name-40'), 'the busiest has series of its own')
  for (let time = 0; time < 5; time++) round(30)
  assert.ok(round(30).has('name-30'))
})
