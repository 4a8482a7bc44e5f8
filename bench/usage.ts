// What it costs to keep what 1,000 instances take: one round, one chart, and the size of the database after a day.
//   node --import ./scripts/loader.mjs bench/usage.ts
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as schema from '../plugins/usage/schema.ts'
import { openUsageStore } from '../plugins/usage/store.ts'
import { openSqlite, openTables } from '../src/storage/database.ts'

const instances = 1000
const minute = 60_000
const begin = Date.UTC(2026, 0, 1)

const folder = mkdtempSync(join(tmpdir(), 'usage-'))
const file = join(folder, 'control.db')
const sqlite = openSqlite(file)
const store = openUsageStore(openTables(sqlite, 'usage', { schema, migrations: 'plugins/usage/migrations' }))
const round = (at: number) => {
  const samples = Array.from({ length: instances }, (_, index) => ({
    instanceId: `inst_${index}`,
    cpu: (index + at) % 900,
    memoryKib: 100_000 + (at % 7000),
    diskKib: 200_000,
    processes: 13,
  }))
  store.keep(samples, begin + at * minute)
  store.tidy(begin + at * minute)
}

sqlite.pragma('synchronous = OFF')
for (let at = 0; at < 26 * 60; at++) round(at)
sqlite.pragma('synchronous = FULL')
sqlite.pragma('wal_checkpoint(TRUNCATE)')
const milliseconds = (work: (turn: number) => void, turns: number) => {
  const times = Array.from({ length: turns }, (_, turn) => {
    const start = performance.now()
    work(turn)
    return performance.now() - start
  }).toSorted((a, b) => a - b)
  return `p50 ${times[Math.floor(turns / 2)]?.toFixed(1)} ms, most ${times.at(-1)?.toFixed(1)} ms`
}
console.log(
  `${instances} instances, after a day of minutes: ${Math.round(statSync(file).size / 1024 ** 2)} MiB`,
)
console.log(`one round, quarters and deletions included: ${milliseconds(turn => round(26 * 60 + turn), 60)}`)
for (const period of ['hour', 'day', 'week', 'year'] as const)
  console.log(
    `the ${period} of one instance: ${milliseconds(() => void store.read('inst_500', period, begin + 27 * 60 * minute), 30)}`,
  )
sqlite.close()
rmSync(folder, { recursive: true })
