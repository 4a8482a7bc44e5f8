import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { usage } from './index.ts'
import { createSampler } from './sampler.ts'
import * as schema from './schema.ts'
import { openUsageStore } from './store.ts'

const minute = 60_000
const day = 24 * 60 * minute
const noon = Date.UTC(2026, 0, 1, 12)
const acme = 'inst_acme'
const other = 'inst_other'

function openStore(t: TestContext) {
  const sqlite = openSqlite(join(temporaryFolder(t), 'control.db'))
  t.after(() => sqlite.close())
  const db = openTables(sqlite, 'usage', { schema, migrations: 'plugins/usage/migrations' })
  sqlite.pragma('synchronous = OFF')
  const count = (table: string) =>
    (sqlite.prepare(`select count(*) as rows from ${table}`).get() as { rows: number }).rows
  /** The processor time in what is summed up, by quarters and days since noon's midnight, until `to`. */
  const sums = (to: number) => {
    const of = (table: string, ms: number) => {
      const first = Math.floor((noon - day / 2) / ms)
      return sqlite
        .prepare(
          `select at - ${first} as at, cpu_min as min, cpu_avg as avg, cpu_max as max from ${table} where at < ${Math.floor(to / ms)} order by at`,
        )
        .all() as { at: number; min: number; avg: number; max: number }[]
    }
    return { quarters: of('usage_quarters', 15 * minute), days: of('usage_days', day) }
  }
  return { store: openUsageStore(db), count, sums }
}

const sample = (instanceId: string, cpu: number | null, memoryMib = 100) => ({
  ...{ instanceId, cpu, processes: 3 },
  memoryKib: memoryMib * 1024,
  diskKib: 2048,
})

test('minutes become quarters of an hour and days, with the least, the average and the most', t => {
  const { store } = openStore(t)
  for (let at = 0; at < 2 * 24 * 60; at++) {
    const now = noon + at * minute
    store.keep([sample(acme, at % 15 === 0 ? 900 : 100, 100 + (at % 15)), sample(other, 500)], now)
    store.tidy(now)
  }
  const now = noon + 2 * day
  store.tidy(now)
  const week = store.read(acme, 'week', now)
  assert.equal(week.stretchMs, 30 * minute)
  assert.equal(week.points.length, 2 * 48)
  const [first] = week.points
  assert.equal(first?.at, noon)
  assert.deepEqual(
    { ...first?.cpu, avg: Math.round((first?.cpu.avg ?? 0) * 1000) },
    { min: 0.1, avg: 153, max: 0.9 },
  )
  assert.deepEqual(first?.memoryBytes, { min: 100 * 1024 ** 2, avg: 107 * 1024 ** 2, max: 114 * 1024 ** 2 })
  const year = store.read(acme, 'year', now)
  assert.deepEqual(
    year.points.map(({ at }) => new Date(at).toISOString().slice(0, 10)),
    ['2026-01-01', '2026-01-02', '2026-01-03'],
    'the day that goes on is there too',
  )
  for (const { cpu } of year.points) assert.ok(Math.abs(cpu.avg - 0.153) < 0.001, `${cpu.avg}`)
  assert.deepEqual(store.read(other, 'year', now).points[0]?.cpu, { min: 0.5, avg: 0.5, max: 0.5 })
  assert.deepEqual(store.read('inst_stranger', 'day', now).points, [])
})

test('a stretch in which nothing was measured is left out', t => {
  const { store } = openStore(t)
  for (const at of [0, 1, 2, 30, 31]) store.keep([sample(acme, 100)], noon + at * minute)
  const { points } = store.read(acme, 'hour', noon + 40 * minute)
  assert.deepEqual(
    points.map(({ at }) => (at - noon) / minute),
    [0, 1, 2, 30, 31],
  )
  store.keep([sample(other, null)], noon)
  assert.deepEqual(
    store.read(other, 'hour', noon + minute).points,
    [],
    'the first look has no processor time',
  )
})

test('rows are bounded: minutes for a day, quarters for a month, days for a year', t => {
  const { store, count } = openStore(t)
  for (let at = 0; at < 400 * 4; at++) {
    const now = noon + at * 6 * 60 * minute
    store.keep([sample(acme, 100)], now)
    store.tidy(now)
  }
  assert.ok(count('usage_minutes') <= 6, `${count('usage_minutes')} minutes, four a day`)
  assert.ok(count('usage_quarters') <= 32 * 4 + 1, `${count('usage_quarters')} quarters`)
  assert.ok(count('usage_days') <= 368, `${count('usage_days')} days`)
  assert.equal(store.read(acme, 'year', noon + 400 * day).points.length, 365)
})

test('a clock that is set back loses nothing and counts nothing twice', t => {
  const { store } = openStore(t)
  for (const at of [0, 60, 120, 30, 90, 150]) {
    store.keep([sample(acme, 100)], noon + at * minute)
    store.tidy(noon + at * minute)
  }
  const { points } = store.read(acme, 'day', noon + 151 * minute)
  assert.deepEqual(
    points.map(({ at }) => (at - noon) / minute),
    [0, 30, 60, 90, 120, 150],
  )
})

test('a clock that was ahead for a while changes nothing of what was measured before and after', t => {
  const { store, sums } = openStore(t)
  const start = noon - day / 2
  let minutes = 0
  // The last minute of each quarter is quiet: a quarter of which only that is left would show.
  const measure = (count: number, aheadMs = 0) => {
    for (const end = minutes + count; minutes < end; minutes++) {
      const now = start + minutes * minute + aheadMs
      store.keep([sample(acme, minutes % 15 === 14 ? 100 : 900)], now)
      store.tidy(now)
    }
  }
  measure(26 * 60 + 5)
  measure(20, 30 * day)
  measure(60 * 60)
  const { quarters, days } = sums(start + minutes * minute)
  // The clock was wrong from 02:05 to 02:25.
  const whole = quarters.filter(({ at }) => at * 15 < 26 * 60 || at * 15 > 26 * 60 + 25)
  assert.ok(whole.length > 200, `${whole.length} quarters`)
  assert.deepEqual(
    whole.filter(({ min, avg, max }) => min !== 100 || avg !== 847 || max !== 900),
    [],
  )
  assert.deepEqual(
    days.map(({ min, max }) => ({ min, max })),
    [
      { min: 100, max: 900 },
      { min: 100, max: 900 },
      { min: 100, max: 900 },
    ],
  )
  assert.ok(
    days.every(({ avg }) => Math.abs(avg - 847) < 5),
    'each day is the average of the whole day',
  )
})

test('a day that a clock ahead ended too early is summed up when it really ends', t => {
  const { store } = openStore(t)
  const start = noon - day / 2
  const measure = (at: number, cpu: number) => {
    store.keep([sample(acme, cpu)], at)
    store.tidy(at)
  }
  measure(start, 100)
  measure(start + 3 * day, 100)
  for (let at = start + minute; at < start + day + 20 * minute; at += minute) measure(at, 900)
  const { points } = store.read(acme, 'year', start + day + 20 * minute)
  assert.equal(points[0]?.at, start)
  assert.deepEqual([points[0]?.cpu.max, points[0]?.cpu.min], [0.9, 0.1])
  assert.ok((points[0]?.cpu.avg ?? 0) > 0.89, `${points[0]?.cpu.avg}`)
})

test('a new instance never gets the rows of one whose data were deleted', t => {
  const { store } = openStore(t)
  store.keep([sample(acme, 100)], noon)
  store.forget(acme)
  store.keep([sample(other, 100)], noon + minute)
  assert.equal(store.read(other, 'hour', noon + minute).points.length, 1)
  assert.deepEqual(store.read(acme, 'hour', noon + minute).points, [])
})

test('processor time is shown by the time between two looks, and not across a restart', async t => {
  const { store } = openStore(t)
  const clock = manualClock(noon)
  let processorMs = 1000
  let restMs = 0
  const looks: number[] = []
  const provisioner = {
    measure: async () => {
      looks.push(clock.now())
      const measured = [
        { instanceId: acme, processorMs, memoryBytes: 1, processes: 1, startedAt: noon, diskBytes: null },
      ]
      return { measured, restMs }
    },
  }
  const sampler = createSampler({ provisioner, store, clock })
  const round = () => sampler.round(AbortSignal.timeout(60_000))
  await round()
  assert.equal(sampler.now(acme)?.cpu, null)
  clock.advance(minute)
  processorMs += 30_000
  await round()
  assert.equal(sampler.now(acme)?.cpu, 0.5)
  clock.advance(minute)
  processorMs = 10
  await round()
  assert.equal(sampler.now(acme)?.cpu, null, 'it was started again')
  restMs = 3 * minute
  clock.advance(minute)
  await round()
  clock.advance(minute)
  await round()
  assert.equal(looks.length, 4, 'the host rests from a round that took much of it')
  clock.advance(2 * minute)
  await round()
  assert.equal(looks.length, 5)
  clock.advance(day)
  assert.equal(sampler.now(acme), null, 'what was measured long ago is not what it takes now')
})

test('the API shows what a running instance takes, to operators alone', async t => {
  const fleet = await testFleet(t, { plugins: [usage] })
  await fleet.provision('acme')
  const path = '/admin/instances/acme/usage'
  interface Answer {
    period: string
    step_seconds: number
    now: { memory_bytes: number; processes: number; started_at: string } | null
    points: unknown[]
  }
  await fleet.program.runOnce('usage:measure')
  const { status, body } = await fleet.admin<Answer>('GET', `${path}?period=month`)
  assert.equal(status, 200)
  assert.deepEqual([body.period, body.step_seconds], ['month', 7200])
  assert.ok((body.now?.memory_bytes ?? 0) > 10 * 1024 ** 2, 'a Node process takes more than 10 MiB')
  assert.ok((body.now?.processes ?? 0) >= 1)
  assert.ok(Date.parse(body.now?.started_at ?? '') > 0)
  const wrong = await fleet.admin<{ errors: { path: string }[] }>('GET', `${path}?period=decade`)
  assert.equal(wrong.status, 422)
  assert.equal(wrong.body.errors[0]?.path, 'period')
  assert.equal((await fleet.admin('GET', '/admin/instances/none/usage')).status, 404)
  const stranger = await fleet.admin('GET', path, { headers: { Authorization: 'Bearer wrong' } })
  assert.equal(stranger.status, 401)
})
