import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type TestContext, test } from 'node:test'
import { openSqlite, openTables } from '../../../src/storage/database.ts'
import { countSql } from '../../../src/testing/counted-sql.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import * as schema from '../schema.ts'
import { pruneHistory, removeStrayLogs } from './retention.ts'

const day = 86_400_000
const now = Date.parse('2026-03-10T12:00:00Z')
const keep = { runsPerJob: 500, slotsPerJob: 2000, ageMs: 90 * day }

function openHistory(t: TestContext) {
  const dir = temporaryFolder(t)
  const runsDir = join(dir, 'runs')
  mkdirSync(runsDir)
  const sqlite = openSqlite(join(dir, 'longhouse.db'))
  t.after(() => sqlite.close())
  const db = openTables(sqlite, 'jobs', { schema, migrations: 'runtime/jobs/migrations' })
  const insertRun = sqlite.prepare(
    "insert into jobs_runs (id, jobId, status, trigger, attempt, build, params, timeoutMs, queuedAt, result) values (?, ?, ?, 'schedule', 1, 'b', '{}', 1000, ?, ?)",
  )
  const insertSlot = sqlite.prepare(
    "insert into jobs_slots (jobId, at, outcome, decidedAt) values (?, ?, 'ran', ?)",
  )
  const addRun = (id: string, jobId: string, at: number, status = 'succeeded', result = 'null') => {
    insertRun.run(id, jobId, status, at, result)
  }
  const addSlot = (jobId: string, at: number) => insertSlot.run(jobId, at, at)
  const ids = (jobId: string) =>
    sqlite.prepare('select id from jobs_runs where jobId = ? order by seq').pluck().all(jobId)
  const ats = (jobId: string) =>
    sqlite.prepare('select at from jobs_slots where jobId = ? order by at').pluck().all(jobId)
  return { sqlite, db, runsDir, addRun, addSlot, ids, ats, log: (id: string) => join(runsDir, `${id}.log`) }
}

test('the newest runs of each job are kept within count and age, at least one', async t => {
  const { db, runsDir, addRun, addSlot, ids, ats, log } = openHistory(t)
  for (let i = 0; i < 6; i++) addRun(`often-${i}`, 'often', now - 6 + i)
  addRun('old-1', 'old', now - 400 * day)
  addRun('old-2', 'old', now - 100 * day, 'running')
  addRun('old-3', 'old', now - 91 * day)
  addRun('old-4', 'old', now - 89 * day)
  addRun('yearly-1', 'yearly', now - 730 * day)
  addRun('yearly-2', 'yearly', now - 365 * day)
  for (const at of [730, 365]) addSlot('yearly', now - at * day)
  for (let i = 0; i < 9; i++) addSlot('often', now - i)
  for (const id of ['often-0', 'often-5']) writeFileSync(log(id), 'x')
  const gone = await pruneHistory(db, runsDir, { ...keep, runsPerJob: 3, slotsPerJob: 4 }, now)
  assert.equal(gone, 3 + 2 + 1)
  assert.deepEqual(ids('often'), ['often-3', 'often-4', 'often-5'])
  assert.deepEqual(ids('old'), ['old-2', 'old-4'], 'what still runs stays')
  assert.deepEqual(ids('yearly'), ['yearly-2'])
  assert.deepEqual(ats('yearly'), [now - 365 * day], 'the schedule continues from it')
  assert.deepEqual(ats('often'), [now - 3, now - 2, now - 1, now])
  assert.deepEqual([existsSync(log('often-0')), existsSync(log('often-5'))], [false, true])
})

test('only a log without a run is deleted', async t => {
  const { db, runsDir, addRun, log } = openHistory(t)
  addRun('known', 'job', now)
  for (const id of ['known', 'stray']) writeFileSync(log(id), 'x')
  writeFileSync(join(runsDir, 'notes.txt'), 'x')
  for (let i = 0; i < 120; i++) writeFileSync(log(`stray-${i}`), 'x')
  assert.equal(await removeStrayLogs(db, runsDir), 121)
  assert.deepEqual([existsSync(log('known')), existsSync(join(runsDir, 'notes.txt'))], [true, true])
})

test('a hundred thousand runs are pruned in batches of fifty', async t => {
  const { sqlite, db, runsDir, addRun, addSlot, ids } = openHistory(t)
  const result = JSON.stringify('x'.repeat(200))
  sqlite.transaction(() => {
    for (let i = 0; i < 100_000; i++) {
      addRun(`run-${i}`, `job-${i % 100}`, now - i, 'succeeded', result)
      addSlot(`job-${i % 100}`, now - i)
    }
  })()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const began = performance.now()
  let gone = 0
  const { commits } = await countSql(t).during(async () => {
    gone = await pruneHistory(db, runsDir, keep, now)
  })
  delay.disable()
  assert.equal(gone, 50_000)
  // Other work runs between two of them.
  assert.equal(commits, gone / 50)
  assert.equal(ids('job-7').length, 500)
  const ms = (ns: number) => (ns / 1e6).toFixed(1)
  t.diagnostic(
    `${Math.round(performance.now() - began)} ms for 50,000 of them; the loop waited p50 ${ms(delay.percentile(50))}, p99 ${ms(delay.percentile(99))}, at most ${ms(delay.max)} ms`,
  )
})
