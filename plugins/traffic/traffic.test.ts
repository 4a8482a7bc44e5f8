import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { getTableColumns } from 'drizzle-orm'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { openTown } from '../owners/owners.fixture.ts'
import { type InstanceReport, latencyBoundsMs } from '../router/contract.ts'
import { noCounts, percentile, requestsOf } from './counts.ts'
import { traffic } from './index.ts'
import * as schema from './schema.ts'
import { openTrafficStore } from './store.ts'
import { createWatch } from './watch.ts'

const second = 1000
const minute = 60 * second
const day = 24 * 60 * minute
const noon = Date.UTC(2026, 0, 1, 12)

/** A watch on a router whose counts the test sets. */
function watching(t: TestContext) {
  const sqlite = openSqlite(join(temporaryFolder(t), 'control.db'))
  t.after(() => sqlite.close())
  sqlite.pragma('synchronous = OFF')
  const db = openTables(sqlite, 'traffic', { schema, migrations: 'plugins/traffic/migrations' })
  const store = openTrafficStore(db)
  const clock = manualClock(noon)
  const totals = new Map<string, InstanceReport>()
  const router = { traffic: () => [...totals.values()] }
  /** Requests with this status that took `ms`, each with 10 bytes in and 100 out. */
  const pass = (instanceId: string, count: number, status = 200, ms = 3) => {
    const known = totals.get(instanceId) ?? {
      ...{ instanceId, subdomain: instanceId, upgraded: 0, inProgress: 0, ...noCounts },
      latency: { counts: noCounts.latency, sumMs: 0 },
    }
    const bucket = [1, 2, 5, 10, 20, 50, 100].findIndex(bound => ms <= bound)
    const at = (counts: readonly number[], index: number) =>
      counts.map((each, place) => (place === index ? each + count : each))
    totals.set(instanceId, {
      ...known,
      answers: at(known.answers, Math.floor(status / 100) - 1),
      bytesIn: known.bytesIn + 10 * count,
      bytesOut: known.bytesOut + 100 * count,
      latency: { counts: at(known.latency.counts, bucket), sumMs: known.latency.sumMs + ms * count },
    })
  }
  const rows = (table: string) =>
    (sqlite.prepare(`select count(*) as rows from ${table}`).get() as { rows: number }).rows
  return { store, clock, totals, router, pass, rows, watch: createWatch({ router, store, clock }) }
}

test('what passes is shown at once, and kept by the minute', t => {
  const { watch, clock, pass, store, rows } = watching(t)
  pass('acme', 30)
  clock.advance(5 * second)
  watch.round()
  pass('acme', 10, 500, 90)
  clock.advance(5 * second)
  const live = watch.read('acme', 'hour')
  assert.deepEqual(live.now.answers, [0, 30, 0, 0, 10])
  assert.deepEqual([live.now.bytesIn, live.now.bytesOut, live.now.seconds], [400, 4000, 10])
  assert.equal(live.points.length, 1, 'the minute that goes on is there too')
  assert.equal(requestsOf(live.points[0] ?? noCounts), 40)
  assert.equal(rows('traffic_minutes'), 0)
  clock.advance(minute)
  watch.round()
  assert.deepEqual(
    store.read('acme', 'hour', clock.now()).points.map(({ at, answers }) => [at, answers]),
    [[noon, [0, 30, 0, 0, 10]]],
  )
  assert.equal(watch.read('acme', 'hour').points.length, 1)
  assert.equal(requestsOf(watch.read('acme', 'hour').now), 0, 'it was more than a minute ago')
  assert.equal(watch.read('beta', 'hour').points.length, 0)
})

test('many instances are kept in parts, and none is lost or shown twice meanwhile', t => {
  const { watch, clock, pass, rows } = watching(t)
  const instances = Array.from({ length: 250 }, (_, index) => `inst_${index}`)
  for (const each of instances) pass(each, 2)
  watch.round()
  clock.advance(minute)
  const kept: number[] = []
  for (let round = 0; round < 3; round++) {
    watch.round()
    kept.push(rows('traffic_minutes'))
    for (const each of instances)
      assert.equal(requestsOf(watch.read(each, 'hour').points[0] ?? noCounts), 2, `${each} in round ${round}`)
    clock.advance(5 * second)
  }
  assert.deepEqual(kept, [100, 200, 250])
  for (const each of instances) pass(each, 1)
  watch.round()
  clock.advance(minute)
  watch.round()
  clock.advance(minute)
  watch.round()
  assert.equal(rows('traffic_minutes'), 500, 'a minute is whole before the next one begins')
})

test('a stop keeps what waits, and a start adds to its minute', t => {
  const { watch, clock, pass, router, store, totals } = watching(t)
  pass('acme', 3)
  watch.stop()
  totals.clear()
  pass('acme', 4)
  const next = createWatch({ router, store, clock })
  clock.advance(second)
  next.stop()
  assert.equal(requestsOf(store.read('acme', 'hour', clock.now()).points[0] ?? noCounts), 7)
})

test('counts that begin again at zero are all new', t => {
  const { watch, clock, pass, totals } = watching(t)
  pass('acme', 50)
  watch.round()
  totals.clear()
  pass('acme', 2)
  watch.round()
  clock.advance(second)
  assert.equal(requestsOf(watch.read('acme', 'hour').points[0] ?? noCounts), 52)
})

test('minutes become quarters of an hour and days, and each period is the sum of what passed in it', t => {
  const { watch, clock, pass } = watching(t)
  for (let at = 0; at < 26 * 60; at++) {
    pass('acme', 2)
    if (at % 2 === 0) pass('beta', 1, 404)
    watch.round()
    clock.advance(minute)
  }
  watch.round()
  const total = (instance: string, period: 'day' | 'week' | 'year') =>
    watch.read(instance, period).points.reduce((all, point) => all + requestsOf(point), 0)
  assert.equal(total('acme', 'week'), 2 * 26 * 60)
  assert.equal(total('acme', 'year'), 2 * 26 * 60)
  assert.equal(total('beta', 'year'), 13 * 60)
  assert.ok(Math.abs(total('acme', 'day') - 2 * 24 * 60) <= 10)
  const [point] = watch.read('acme', 'week').points
  assert.deepEqual([point?.answers, point?.bytesOut], [[0, 60, 0, 0, 0], 6000])
  assert.equal(watch.read('acme', 'week').stretchMs, 30 * minute)
})

test('every period has what passed in it: while its quarter goes on, and after quiet hours and days', t => {
  const { watch, clock, pass } = watching(t)
  const totals = (...periods: ('hour' | 'day' | 'week' | 'month' | 'year')[]) =>
    periods.map(period =>
      watch.read('acme', period).points.reduce((all, point) => all + requestsOf(point), 0),
    )
  const live = (minutes: number) => {
    for (let at = 0; at < minutes; at++) {
      watch.round()
      clock.advance(minute)
    }
    watch.round()
  }
  for (let at = 0; at < 10; at++) {
    pass('acme', 12)
    live(1)
  }
  assert.deepEqual(totals('hour', 'day', 'week', 'month', 'year'), [120, 120, 120, 120, 120])
  live(20)
  assert.deepEqual(totals('hour', 'day', 'week', 'month', 'year'), [120, 120, 120, 120, 120])
  live(13 * 60)
  assert.deepEqual(totals('day', 'week', 'month', 'year'), [120, 120, 120, 120])
  live(2 * 24 * 60)
  assert.deepEqual(totals('day', 'week', 'month', 'year'), [0, 120, 120, 120])
})

test('the columns of response times are those of the bounds that the edge counts by', () => {
  const columns = Array.from({ length: latencyBoundsMs.length + 1 }, (_, index) => `latency${index}`)
  for (const table of [schema.trafficMinutes, schema.trafficQuarters, schema.trafficDays])
    assert.deepEqual(
      Object.entries(getTableColumns(table)).flatMap(([key, { name }]) =>
        name.startsWith('latency') ? [key] : [],
      ),
      columns,
    )
  // Rows that are kept were counted by these. Other bounds would need other columns.
  assert.deepEqual(
    latencyBoundsMs,
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000],
  )
})

test('rows are bounded, and an instance without traffic has none', t => {
  const { watch, clock, pass, rows } = watching(t)
  for (let at = 0; at < 400; at++) {
    pass('acme', 1)
    pass('quiet', at === 0 ? 1 : 0)
    watch.round()
    clock.advance(day)
  }
  watch.round()
  assert.ok(rows('traffic_minutes') <= 3, `${rows('traffic_minutes')} minutes, one a day`)
  assert.ok(rows('traffic_quarters') <= 34, `${rows('traffic_quarters')} quarters`)
  assert.ok(rows('traffic_days') <= 369, `${rows('traffic_days')} days`)
  watch.forget('acme')
  assert.equal(watch.read('acme', 'year').points.length, 0)
  assert.ok(clock.now() - noon > 399 * day)
})

test('percentiles lie within the bounds that count them', () => {
  const latency = [...noCounts.latency]
  assert.equal(percentile({ ...noCounts, latency }, 0.5), null)
  latency[3] = 99
  latency[9] = 1
  const counts = { ...noCounts, latency }
  assert.ok(Math.abs((percentile(counts, 0.5) ?? 0) - 7.5) < 0.1)
  assert.ok((percentile(counts, 0.99) ?? 0) <= 10)
  assert.ok((percentile(counts, 1) ?? 0) === 1000)
  latency[15] = 1000
  assert.equal(percentile(counts, 0.9), 60_000, 'what is beyond the last bound is not made up')
})

interface Answer {
  period: string
  step_seconds: number
  now: { requests: number; answers: Record<string, number>; in_progress: number; p50_ms: number | null }
  points: { requests: number; bytes_out: number }[]
}

test('operators and the owner see the traffic of an instance; another owner does not', async t => {
  const town = await openTown(t, { plugins: [traffic] })
  const ada = await town.owner('ada')
  await ada.visit('/instances', { subdomain: 'acme' })
  await town.reaches(ada, 'acme', 'running')
  assert.equal((await town.visit('acme')).status, 200)
  const path = '/admin/instances/acme/traffic'
  const seen = await eventually('the request is counted', async () => {
    const { body } = await town.admin<Answer>('GET', `${path}?period=day`)
    return body.points.length > 0 && body
  })
  assert.deepEqual([seen.period, seen.step_seconds], ['day', 300])
  assert.equal(seen.points[0]?.requests, 1)
  assert.equal(seen.now.answers['2xx'], 1)
  assert.ok((seen.points[0]?.bytes_out ?? 0) > 0)

  const mine = (await ada.call('GET', '/instances/acme/traffic')).json<Answer>()
  assert.equal(mine.points[0]?.requests, 1)
  assert.match((await ada.visit('/instances/acme')).text, /href="\/instances\/acme\/traffic"/)
  const page = await ada.visit('/instances/acme/traffic?period=week')
  assert.match(page.text, /Traffic of acme/)
  assert.match(page.text, /Requests in the last 7 days: 1;/)
  const eve = await town.owner('eve')
  assert.equal((await eve.call('GET', '/instances/acme/traffic')).status, 404)
  const wrong = await town.admin<{ errors: { path: string }[] }>('GET', `${path}?period=decade`)
  assert.deepEqual([wrong.status, wrong.body.errors[0]?.path], [422, 'period'])
  assert.equal((await town.admin('GET', '/admin/instances/none/traffic')).status, 404)
  const stranger = await town.admin('GET', path, { headers: { Authorization: 'Bearer wrong' } })
  assert.equal(stranger.status, 401)
})
