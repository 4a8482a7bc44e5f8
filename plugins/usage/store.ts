import type { Db } from '../../src/storage/database.ts'
import { type Figure, openTimeSeries, type Period } from '../../src/storage/time-series.ts'
import type { Spread, UsagePoint } from '../provisioner/contract.ts'
import * as schema from './schema.ts'

/** What one look showed, in the units of the tables. */
export interface Sample {
  instanceId: string
  /** In thousandths of a core. */
  cpu: number | null
  memoryKib: number
  diskKib: number | null
  processes: number
}

const figures: Figure[] = [
  ...[
    ['cpu', 'cpu'],
    ['memory', 'memory_kib'],
    ['disk', 'disk_kib'],
  ].flatMap(([name, minute]) =>
    (['min', 'avg', 'max'] as const).map(sum => ({ name: `${name}_${sum}`, sum, minute: `${minute}` })),
  ),
  { name: 'processes', sum: 'max', minute: 'processes' },
]

/** Keeps what instances took. A second look in the same minute replaces what the first one showed of it. */
export function openUsageStore(db: Db<typeof schema>) {
  const series = openTimeSeries(db, {
    instances: schema.usageInstances,
    minutes: schema.usageMinutes,
    quarters: schema.usageQuarters,
    days: schema.usageDays,
    figures,
    again: 'replace',
  })
  return {
    keep: (samples: readonly Sample[], at: number): void =>
      series.keep(
        samples.map(sample => ({ ...sample })),
        at,
      ),
    tidy: series.tidy,
    forget: series.forget,
    /** What one instance took in a period that ends now. */
    read: (instanceId: string, period: Period, now: number) => {
      const { rows, ...span } = series.read(instanceId, period, now)
      return { ...span, points: rows.flatMap(row => pointOf(row as unknown as Row, span.stretchMs)) }
    },
  }
}
export type UsageStore = ReturnType<typeof openUsageStore>

interface Row {
  stretch: number
  cpu_min: number | null
  cpu_avg: number | null
  cpu_max: number | null
  memory_min: number
  memory_avg: number
  memory_max: number
  disk_min: number | null
  disk_avg: number | null
  disk_max: number | null
  processes: number
}

function pointOf(row: Row, stretchMs: number): UsagePoint[] {
  const cpu = spread(row.cpu_min, row.cpu_avg, row.cpu_max, 1 / 1000)
  const memoryBytes = spread(row.memory_min, row.memory_avg, row.memory_max, 1024)
  // The first look at an instance has no processor time yet: there is nothing to draw.
  if (!cpu || !memoryBytes) return []
  const diskBytes = spread(row.disk_min, row.disk_avg, row.disk_max, 1024)
  return [{ at: row.stretch * stretchMs, cpu, memoryBytes, diskBytes, processes: row.processes }]
}

function spread(min: number | null, avg: number | null, max: number | null, unit: number): Spread | null {
  return min === null || avg === null || max === null
    ? null
    : { min: min * unit, avg: avg * unit, max: max * unit }
}
