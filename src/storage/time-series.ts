import { eq, getTableColumns, lt, type SQL, sql } from 'drizzle-orm'
import type { AnySQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Db } from './database.ts'

/** The tables may have any schema: only what the options name is used. */
type TimeSeriesDb = Pick<Db, 'all' | 'get' | 'run' | 'insert' | 'delete'> & {
  transaction(work: () => void): void
}

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const dayMs = 24 * 60 * minuteMs

/** How long each resolution is kept: the longest period that is drawn from it, and a little more. */
const kept = { minutesMs: 25 * 60 * minuteMs, quartersMs: 32 * dayMs, daysMs: 367 * dayMs } as const

/** Moments of which one round deletes the rows, each in a transaction of its own. */
const deletedAtOnce = 30

/** A period: how far back it goes, and how long each stretch in it is. */
const periods = {
  hour: { lengthMs: 60 * minuteMs, stretchMs: minuteMs },
  day: { lengthMs: dayMs, stretchMs: 5 * minuteMs },
  dayByMinute: { lengthMs: dayMs, stretchMs: minuteMs },
  week: { lengthMs: 7 * dayMs, stretchMs: 2 * quarterMs },
  month: { lengthMs: 30 * dayMs, stretchMs: 8 * quarterMs },
  year: { lengthMs: 365 * dayMs, stretchMs: dayMs },
}
export type Period = keyof typeof periods

/** A table of figures by moment and instance. `at` counts minutes, quarters of an hour or days since the epoch. */
type MomentTable = SQLiteTable & { at: AnySQLiteColumn; key: AnySQLiteColumn }

/** A figure in quarters and days, and how it is made of those of the level below. */
export interface Figure {
  /** Its column in quarters and days. */
  name: string
  /** Its column in minutes. */
  minute: string
  sum: 'min' | 'avg' | 'max' | 'sum'
}

export interface TimeSeriesOptions {
  /** A short number for each instance: it stands in a thousand rows a minute. */
  instances: SQLiteTable & { key: AnySQLiteColumn; instanceId: AnySQLiteColumn }
  minutes: MomentTable
  quarters: MomentTable
  days: MomentTable
  figures: readonly Figure[]
  /** Whether a second row of the same minute replaces the first one, or is added to it. */
  again: 'replace' | 'add'
}

/** A row of one minute: the columns of its table by their names in the schema. */
export type MinuteRow = { instanceId: string } & Readonly<Record<string, string | number | null>>

/** What is known of one stretch of time: figures by name. */
export type StretchRow = { stretch: number } & Readonly<Record<string, number | null>>

/** Keeps figures of instances at falling resolution: minutes for a day, quarters of an hour for a month, days for a year. */
export function openTimeSeries(db: TimeSeriesDb, options: TimeSeriesOptions) {
  const { instances } = options
  const keys = new Map<string, number>()
  const readKeys = () => {
    keys.clear()
    for (const row of db.all<{ key: number; id: string }>(
      sql`select ${instances.key} as key, ${instances.instanceId} as id from ${instances}`,
    ))
      keys.set(row.id, row.key)
  }
  readKeys()

  const sumUp = createSums(db, options)
  const insert = insertMinute(db, options)

  const keyOf = (instanceId: string): number => {
    const known = keys.get(instanceId)
    if (known !== undefined) return known
    db.run(sql`insert into ${instances} (instance_id) values (${instanceId})`)
    const { key } = db.get<{ key: number }>(
      sql`select ${instances.key} as key from ${instances} where ${instances.instanceId} = ${instanceId}`,
    )
    keys.set(instanceId, key)
    return key
  }

  return {
    /** Keeps the rows of one minute. */
    keep: (rows: readonly MinuteRow[], at: number): void => {
      const minute = Math.floor(at / minuteMs)
      try {
        db.transaction(() => {
          for (const { instanceId, ...figures } of rows)
            insert.run({ ...figures, at: minute, key: keyOf(instanceId) })
        })
      } catch (error) {
        // The keys that were made in it are gone as well.
        readKeys()
        throw error
      }
    },

    /** Sums up what is complete, and deletes what is older than it is kept. */
    tidy: (now: number): void => {
      sumUp(now)
      drop(db, options, now)
    },

    /** The figures of one instance in a period that ends now. Stretches without any are left out. */
    read: (instanceId: string, period: Period, now: number) => {
      const { lengthMs, stretchMs } = periods[period]
      const to = Math.floor(now / stretchMs) * stretchMs + stretchMs
      const from = to - lengthMs
      const key = keys.get(instanceId)
      const rows = key === undefined ? [] : stretchesOf(db, options, key, { from, to, stretchMs, now })
      return { from, to, stretchMs, rows }
    },

    /** Forgets an instance whose data were deleted. Its rows go with their time. */
    forget: (instanceId: string): void => {
      db.run(sql`delete from ${instances} where ${instances.instanceId} = ${instanceId}`)
      keys.delete(instanceId)
    },
  }
}
export type TimeSeries = ReturnType<typeof openTimeSeries>

/** One statement that is prepared once: a round has a thousand rows. */
function insertMinute(db: TimeSeriesDb, { minutes, again }: TimeSeriesOptions) {
  const columns = Object.entries(getTableColumns(minutes))
  const values = Object.fromEntries(columns.map(([name]) => [name, sql.placeholder(name)]))
  const set = Object.fromEntries(
    columns
      .filter(([name]) => name !== 'at' && name !== 'key')
      .map(([name, column]) => {
        const come = sql.raw(`excluded.${column.name}`)
        return [name, again === 'add' ? sql`${column} + ${come}` : come]
      }),
  )
  return db
    .insert(minutes)
    .values(values)
    .onConflictDoUpdate({ target: [minutes.at, minutes.key], set })
    .prepare()
}

const listed = (figures: readonly Figure[], column: (figure: Figure) => string): SQL =>
  sql.raw(figures.map(column).join(', '))
const summed = ({ sum }: Figure, column: string) =>
  sum === 'avg' ? `round(avg(${column}))` : `${sum}(${column})`

/** Sums up minutes into quarters and quarters into days, once each is complete. */
function createSums(db: TimeSeriesDb, { minutes, quarters, days, figures }: TimeSeriesOptions) {
  const names = listed(figures, ({ name }) => name)
  const levels = [
    {
      ...{ from: minutes, into: quarters, parts: 15, ms: quarterMs },
      columns: listed(figures, figure => summed(figure, figure.minute)),
    },
    {
      ...{ from: quarters, into: days, parts: 96, ms: dayMs },
      columns: listed(figures, figure => summed(figure, figure.name)),
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
          sql`insert or ${verb} into ${into} (at, key, ${names}) select ${at}, key, ${columns} from ${from} where at >= ${at * parts} and at < ${(at + 1) * parts} group by key`,
        )
        part = next(at + 1)
      }
      level.done = complete
    }
  }
}

/** Deletes one moment after the other, which is as many rows as there are instances. */
function drop(db: TimeSeriesDb, { minutes, quarters, days }: TimeSeriesOptions, now: number): void {
  for (const [table, before] of [
    [minutes, Math.floor((now - kept.minutesMs) / minuteMs)],
    [quarters, Math.floor((now - kept.quartersMs) / quarterMs)],
    [days, Math.floor((now - kept.daysMs) / dayMs)],
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

/** The figures of one instance by stretches: from the coarsest table that has enough, and from finer ones what is not summed up yet. */
function stretchesOf(
  db: TimeSeriesDb,
  options: TimeSeriesOptions,
  key: number,
  { from, to, stretchMs, now }: { from: number; to: number; stretchMs: number; now: number },
): StretchRow[] {
  const { figures } = options
  const names = listed(figures, ({ name }) => name)
  // Finer figures begin where the sums end: what is not summed up yet is in no coarser table. What a clock that was ahead summed
  // up too early does not count.
  const endOf = (sums: MomentTable, unitMs: number, keptMs: number): number => {
    const { at } = db.get<{ at: number | null }>(
      sql`select max(at) as at from ${sums} where at < ${Math.floor(now / unitMs)}`,
    )
    const oldest = Math.floor((now - keptMs) / unitMs) * unitMs
    return Math.max(from, oldest, at === null ? 0 : (at + 1) * unitMs)
  }
  const day = endOf(options.days, dayMs, kept.quartersMs)
  const quarter = Math.max(day, endOf(options.quarters, quarterMs, kept.minutesMs))
  const minutes = (begin: number) =>
    sql`select at * ${minuteMs} as ms, 1 as weight, ${listed(figures, ({ name, minute }) => `${minute} as ${name}`)} from ${options.minutes} where key = ${key} and ${within(begin, to, minuteMs)}`
  const quarters = (begin: number) =>
    sql`select at * ${quarterMs} as ms, 15 as weight, ${names} from ${options.quarters} where key = ${key} and ${within(begin, quarter, quarterMs)}`
  const days = sql`select at * ${dayMs} as ms, 1440 as weight, ${names} from ${options.days} where key = ${key} and ${within(from, day, dayMs)}`
  const rows =
    stretchMs < quarterMs
      ? minutes(from)
      : stretchMs < dayMs
        ? sql`${quarters(from)} union all ${minutes(quarter)}`
        : sql`${days} union all ${quarters(day)} union all ${minutes(quarter)}`
  const columns = listed(figures, ({ name, sum }) =>
    sum === 'avg'
      ? `sum(${name} * weight) * 1.0 / sum(case when ${name} is not null then weight end) as ${name}`
      : `${sum}(${name}) as ${name}`,
  )
  return db.all<StretchRow>(
    sql`select cast(ms / ${stretchMs} as integer) as stretch, ${columns} from (${rows}) group by stretch order by stretch`,
  )
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
