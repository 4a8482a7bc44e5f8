import { eq, lt, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../src/storage/database.ts'
import type { Spread, UsagePeriod, UsagePoint } from '../provisioner/contract.ts'
import * as schema from './schema.ts'

const { usageInstances, usageMinutes, usageQuarters, usageDays } = schema

export type UsageDb = Db<typeof schema>

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const dayMs = 24 * 60 * minuteMs

/** How long each resolution is kept: the longest period that is drawn from it, and a little more. */
const kept = { minutesMs: 25 * 60 * minuteMs, quartersMs: 32 * dayMs, daysMs: 367 * dayMs } as const

/** Moments of which one round deletes the rows, each in a transaction of its own. */
const deletedAtOnce = 30

/** What one look showed, in the units of the tables. */
export interface Sample {
  instanceId: string
  /** In thousandths of a core. */
  cpu: number | null
  memoryKib: number
  diskKib: number | null
  processes: number
}

/** A period: how far back it goes, and how long each stretch in it is. */
const periods: Record<UsagePeriod, { lengthMs: number; stretchMs: number }> = {
  hour: { lengthMs: 60 * minuteMs, stretchMs: minuteMs },
  day: { lengthMs: dayMs, stretchMs: 5 * minuteMs },
  week: { lengthMs: 7 * dayMs, stretchMs: 2 * quarterMs },
  month: { lengthMs: 30 * dayMs, stretchMs: 8 * quarterMs },
  year: { lengthMs: 365 * dayMs, stretchMs: dayMs },
}

/** Keeps what instances took: minutes for a day, quarters of an hour for a month, days for a year. */
export function openUsageStore(db: UsageDb) {
  const keys = new Map(
    db
      .select()
      .from(usageInstances)
      .all()
      .map(row => [row.instanceId, row.key]),
  )

  const sumUp = createSums(db)

  const keyOf = (instanceId: string): number => {
    const known = keys.get(instanceId)
    if (known !== undefined) return known
    const { key } = db.insert(usageInstances).values({ instanceId }).returning().get()
    keys.set(instanceId, key)
    return key
  }

  return {
    /** Keeps one round; a second one in the same minute replaces what the first one kept of it. */
    keep: (samples: readonly Sample[], at: number): void => {
      const minute = Math.floor(at / minuteMs)
      try {
        db.transaction(tx => {
          for (const { instanceId, ...figures } of samples) {
            const row = { at: minute, key: keyOf(instanceId), ...figures }
            const { at, key, ...set } = row
            tx.insert(usageMinutes)
              .values(row)
              .onConflictDoUpdate({ target: [usageMinutes.at, usageMinutes.key], set })
              .run()
          }
        })
      } catch (error) {
        // The keys that were made in it are gone as well.
        keys.clear()
        for (const row of db.select().from(usageInstances).all()) keys.set(row.instanceId, row.key)
        throw error
      }
    },

    /** Sums up what is complete, and deletes what is older than it is kept. */
    tidy: (now: number): void => {
      sumUp(now)
      drop(db, now)
    },

    /** What one instance took in a period that ends now. */
    read: (instanceId: string, period: UsagePeriod, now: number) => {
      const { lengthMs, stretchMs } = periods[period]
      const to = Math.floor(now / stretchMs) * stretchMs + stretchMs
      const from = to - lengthMs
      const key = keys.get(instanceId)
      const points = key === undefined ? [] : pointsOf(db, key, { from, to, stretchMs })
      return { from, to, stretchMs, points }
    },

    /** Forgets an instance whose data were deleted. Its rows go with their time. */
    forget: (instanceId: string): void => {
      db.delete(usageInstances).where(eq(usageInstances.instanceId, instanceId)).run()
      keys.delete(instanceId)
    },
  }
}
export type UsageStore = ReturnType<typeof openUsageStore>

/** The figures of a row: how each is called in quarters and days, how it is summed up, and which column of the minutes it is from. */
const figures = [
  ...[
    ['cpu', 'cpu'],
    ['memory', 'memory_kib'],
    ['disk', 'disk_kib'],
  ].flatMap(([name, minute]) =>
    (['min', 'avg', 'max'] as const).map(sum => ({ name: `${name}_${sum}`, sum, minute: `${minute}` })),
  ),
  { name: 'processes', sum: 'max', minute: 'processes' } as const,
]
type Figure = (typeof figures)[number]

const listed = (column: (figure: Figure) => string): SQL => sql.raw(figures.map(column).join(', '))
const summed = ({ sum }: Figure, column: string) =>
  sum === 'avg' ? `round(avg(${column}))` : `${sum}(${column})`

const spreadColumns = listed(({ name }) => name)

/** Sums up minutes into quarters and quarters into days, once each is complete. */
function createSums(db: UsageDb) {
  const levels = [
    {
      ...{ from: usageMinutes, into: usageQuarters, parts: 15, ms: quarterMs },
      columns: listed(figure => summed(figure, figure.minute)),
    },
    {
      ...{ from: usageQuarters, into: usageDays, parts: 96, ms: dayMs },
      columns: listed(figure => summed(figure, figure.name)),
    },
  ].map(level => ({ ...level, done: null as number | null }))

  return (now: number): void => {
    for (const level of levels) {
      const { from, into, parts, columns } = level
      const complete = Math.floor(now / level.ms)
      if (complete === level.done) continue
      const edge = (wanted: SQL): number | null => db.get<{ at: number | null }>(wanted).at
      const oldest = edge(sql`select min(at) as at from ${from}`)
      // A clock that was ahead left rows of the future, and may have ended the newest period too early: that one is summed up again.
      const newest = edge(sql`select max(at) as at from ${into} where at < ${complete}`) ?? 0
      // Only periods that have rows: a clock may be years ahead.
      const next = (at: number) =>
        edge(sql`select min(at) as at from ${from} where at >= ${at * parts} and at < ${complete * parts}`)
      for (let part = next(newest); part !== null; ) {
        const at = Math.floor(part / parts)
        // Without its first parts, which may be deleted by now, a period must not replace the sum of all of them.
        const verb = sql.raw(oldest !== null && at * parts >= oldest ? 'replace' : 'ignore')
        db.run(
          sql`insert or ${verb} into ${into} (at, key, ${spreadColumns}) select ${at}, key, ${columns} from ${from} where at >= ${at * parts} and at < ${(at + 1) * parts} group by key`,
        )
        part = next(at + 1)
      }
      level.done = complete
    }
  }
}

/** Deletes one moment after the other, which is as many rows as there are instances. */
function drop(db: UsageDb, now: number): void {
  for (const [table, before] of [
    [usageMinutes, Math.floor((now - kept.minutesMs) / minuteMs)],
    [usageQuarters, Math.floor((now - kept.quartersMs) / quarterMs)],
    [usageDays, Math.floor((now - kept.daysMs) / dayMs)],
  ] as const) {
    for (let round = 0; round < deletedAtOnce; round++) {
      const { at } = db.get<{ at: number | null }>(
        sql`select min(at) as at from ${table} where ${lt(table.at, before)}`,
      )
      if (at === null) break
      db.delete(table).where(eq(table.at, at)).run()
    }
  }
}

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

/** What one instance took, by stretches: from the coarsest table that has enough, and from finer ones what is not summed up yet. */
function pointsOf(
  db: UsageDb,
  key: number,
  { from, to, stretchMs }: { from: number; to: number; stretchMs: number },
): UsagePoint[] {
  const quarter = Math.floor((to - 1) / quarterMs) * quarterMs
  const day = Math.floor((to - 1) / dayMs) * dayMs
  const minutes = (begin: number) =>
    sql`select at * ${minuteMs} as ms, 1 as weight, ${listed(({ name, minute }) => `${minute} as ${name}`)} from ${usageMinutes} where key = ${key} and ${within(begin, to, minuteMs)}`
  const quarters = (begin: number) =>
    sql`select at * ${quarterMs} as ms, 15 as weight, ${spreadColumns} from ${usageQuarters} where key = ${key} and ${within(begin, quarter, quarterMs)}`
  const days = sql`select at * ${dayMs} as ms, 1440 as weight, ${spreadColumns} from ${usageDays} where key = ${key} and ${within(from, day, dayMs)}`
  const rows =
    stretchMs < quarterMs
      ? minutes(from)
      : stretchMs < dayMs
        ? sql`${quarters(from)} union all ${minutes(quarter)}`
        : sql`${days} union all ${quarters(day)} union all ${minutes(quarter)}`
  const columns = listed(({ name, sum }) =>
    sum === 'avg'
      ? `sum(${name} * weight) * 1.0 / sum(case when ${name} is not null then weight end) as ${name}`
      : `${sum}(${name}) as ${name}`,
  )
  return db
    .all<Row>(
      sql`select cast(ms / ${stretchMs} as integer) as stretch, ${columns} from (${rows}) group by stretch order by stretch`,
    )
    .flatMap(row => pointOf(row, stretchMs))
}

/**
 * Moments of a table, each looked up by itself: its rows are ordered by time, and an index by instance would make keeping a round
 * dearer than all of its reading.
 */
function within(from: number, to: number, unitMs: number): SQL {
  const first = Math.floor(from / unitMs)
  const count = Math.max(0, Math.ceil(to / unitMs) - first)
  return sql`at in (select value from json_each(${JSON.stringify(Array.from({ length: count }, (_, index) => first + index))}))`
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
