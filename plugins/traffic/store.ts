import type { Db } from '../../src/storage/database.ts'
import { openTimeSeries, type Period, type StretchRow } from '../../src/storage/time-series.ts'
import type { Counts } from './counts.ts'
import * as schema from './schema.ts'

const statuses = [1, 2, 3, 4, 5]
const latencies = Array.from({ length: 16 }, (_, index) => index)

const figures = [
  ...statuses.map(status => `status_${status}`),
  ...['broken', 'refused', 'bytes_in', 'bytes_out'],
  ...latencies.map(index => `latency_${index}`),
].map(name => ({ name, minute: name, sum: 'sum' as const }))

/** Keeps the traffic of instances. What comes later in a minute is added to what there is of it. */
export function openTrafficStore(db: Db<typeof schema>) {
  const series = openTimeSeries(db, {
    instances: schema.trafficInstances,
    minutes: schema.trafficMinutes,
    quarters: schema.trafficQuarters,
    days: schema.trafficDays,
    figures,
    again: 'add',
  })
  return {
    keep: (traffic: ReadonlyMap<string, Counts>, at: number): void =>
      series.keep(
        [...traffic].map(([instanceId, counts]) => ({ instanceId, ...rowOf(counts) })),
        at,
      ),
    tidy: series.tidy,
    forget: series.forget,
    /** The traffic of one instance in a period that ends now. Stretches without any are left out. */
    read: (instanceId: string, period: Period, now: number) => {
      const { rows, ...span } = series.read(instanceId, period, now)
      return { ...span, points: rows.map(row => ({ at: row.stretch * span.stretchMs, ...countsIn(row) })) }
    },
  }
}
export type TrafficStore = ReturnType<typeof openTrafficStore>

function rowOf({ answers, latency, ...others }: Counts): Record<string, number> {
  const row: Record<string, number> = others
  for (const status of statuses) row[`status${status}`] = answers[status - 1] ?? 0
  for (const index of latencies) row[`latency${index}`] = latency[index] ?? 0
  return row
}

function countsIn(row: StretchRow): Counts {
  const of = (name: string) => row[name] ?? 0
  return {
    answers: statuses.map(status => of(`status_${status}`)),
    broken: of('broken'),
    refused: of('refused'),
    bytesIn: of('bytes_in'),
    bytesOut: of('bytes_out'),
    latency: latencies.map(index => of(`latency_${index}`)),
  }
}
