// What it costs to look at and keep the traffic of 1,000 instances that are all busy: one look, one round, one page.
//   node --import ./scripts/loader.mjs bench/traffic.ts
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { latencyBoundsMs } from '../plugins/router/contract.ts'
import * as schema from '../plugins/traffic/schema.ts'
import { openTrafficStore } from '../plugins/traffic/store.ts'
import { createWatch } from '../plugins/traffic/watch.ts'
import { openSqlite, openTables } from '../src/storage/database.ts'
import { manualClock } from '../src/testing/clock.ts'

const instances = 1000
const minute = 60_000

const folder = mkdtempSync(join(tmpdir(), 'traffic-'))
const file = join(folder, 'control.db')
const sqlite = openSqlite(file)
const store = openTrafficStore(
  openTables(sqlite, 'traffic', { schema, migrations: 'plugins/traffic/migrations' }),
)
const clock = manualClock()
let passed = 0
const router = {
  traffic: () =>
    Array.from({ length: instances }, (_, index) => ({
      ...{ instanceId: `inst_${index}`, subdomain: `name-${index}`, answers: [0, passed, passed, 1, 0] },
      ...{
        broken: 0,
        refused: 0,
        upgraded: 0,
        bytesIn: passed * 300,
        bytesOut: passed * 9000,
        inProgress: 1,
      },
      latency: { counts: latencyBoundsMs.map(() => passed).concat(0), sumMs: passed * 10 },
    })),
}
const watch = createWatch({ router, store, clock })
const look = (advanceMs: number) => {
  passed += 7
  clock.advance(advanceMs)
  watch.round()
}
const milliseconds = (work: () => void, turns: number) => {
  const times = Array.from({ length: turns }, () => {
    const start = performance.now()
    work()
    return performance.now() - start
  }).toSorted((a, b) => a - b)
  return `p50 ${times[Math.floor(turns / 2)]?.toFixed(1)} ms, most ${times.at(-1)?.toFixed(1)} ms`
}

sqlite.pragma('synchronous = OFF')
const minutes = 4 * 60
for (let at = 0; at < minutes; at++) look(minute)
sqlite.pragma('synchronous = FULL')
sqlite.pragma('wal_checkpoint(TRUNCATE)')
const bytes = statSync(file).size / (minutes * instances)
console.log(`${instances} busy instances: ${Math.round(bytes)} bytes for a minute of one, quarters included`)
console.log(`one look: ${milliseconds(() => look(10), 60)}`)
console.log(`a round, of which every tenth keeps a new minute: ${milliseconds(() => look(minute / 10), 300)}`)
for (const period of ['hour', 'day', 'week', 'year'] as const)
  console.log(
    `the ${period} of one instance: ${milliseconds(() => void store.read('inst_500', period, clock.now()), 30)}`,
  )
sqlite.close()
rmSync(folder, { recursive: true })
