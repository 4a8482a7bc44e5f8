import { type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { listedPauseMs } from '../backoff.ts'

const minute = 60_000

/** The delays after each failed attempt at another server; after the last one the delivery is given up. */
const pausesMs = [
  minute / 2,
  2 * minute,
  10 * minute,
  30 * minute,
  60 * minute,
  3 * 60 * minute,
  6 * 60 * minute,
] as const

/**
 * Returns the new state of a row after its failed attempt number `attempts`: it waits for the next one, or is given
 * up. A `permanent` error is not retried.
 */
export function afterFailure(error: unknown, attempts: number, now: number) {
  const pauseMs = listedPauseMs(attempts, pausesMs)
  const { message, permanent } = error as { message?: unknown; permanent?: unknown }
  const words = { error: String(message ?? error).slice(0, 500) }
  return permanent === true || pauseMs === null
    ? { ...words, status: 'failed' as const, finishedAt: now }
    : { ...words, status: 'queued' as const, nextAt: now + pauseMs }
}

/**
 * The latest time, in SQL, that a row may wait for its next attempt: its delay from now. A later due time was set
 * before the clock was set back, and would wait until the clock has caught up.
 */
export function latestAttempt(attempts: SQLiteColumn, now: number): SQL<number> {
  const pauses = pausesMs.map((pauseMs, index) => sql`when ${index + 1} then ${pauseMs}`)
  return sql<number>`${now} + case ${attempts} ${sql.join(pauses, sql` `)} else 0 end`
}
