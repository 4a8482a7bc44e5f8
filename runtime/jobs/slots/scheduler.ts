import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { isDiskFull } from '../../../src/storage/disk.ts'
import { lateMs } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSetStore } from '../live-set/live-set.ts'
import type { RunQueue } from '../runs/run-queue.ts'
import { type ClockReading, clockJump } from './clock-jump.ts'
import { type Decision, type DecisionOptions, decideJob, type Tx } from './decision.ts'
import { createNextSlots, type NextSlots } from './next-slots.ts'
import type { Due } from './slot-table.ts'

export interface Scheduler {
  /**
   * Decides every slot that is due at `now`:
   *
   * 1. Compare the clocks. A clock that was set forward explains late slots; after one that was set back, compute the
   *    next slots anew.
   * 2. If the next slots are stale, compute them anew.
   * 3. Take out the jobs that are due, and decide their slots in one transaction (`decideJob`).
   * 4. Hand the new runs to the queue.
   * 5. If the database failed, nothing was written: compute the next slots anew, and throw. The next tick decides the
   *    same slots.
   */
  tick(now: number): void
  /** Takes over the jobs of the live set; those whose schedule stayed keep their next slot. */
  refresh(now: number): void
  next(jobId: string): number | null
  /** When the next slot of any job is due. */
  earliest(): number | null
  /** Throws in words when the slots of some job cannot be decided. */
  check(): void
}

export function createScheduler(options: {
  db: JobsDb
  live: LiveSetStore
  queue: RunQueue
  clock: Clock
  log: Logger
}): Scheduler {
  const { db, live, queue, clock, log } = options
  const nextSlots = createNextSlots({ db, live, log })
  let lastTick: ClockReading | null = null
  /** Since when nothing could be written because the disk was full; infinite when it is not. */
  let fullSince = Number.POSITIVE_INFINITY

  /** Returns how far the clock was set forward since the last tick. */
  const compareClocks = (now: number): number => {
    const reading = { wall: now, monotonic: clock.monotonic() }
    const { forwardMs, back } = clockJump(lastTick, reading)
    if (forwardMs > 0)
      log.warn({ byMs: Math.round(forwardMs), to: new Date(now) }, 'the clock was set forward')
    if (lastTick && back) {
      log.warn({ from: new Date(lastTick.wall), to: new Date(now) }, 'the clock was set back')
      nextSlots.restart(now)
    }
    lastTick = reading
    return forwardMs
  }

  return {
    refresh: nextSlots.refresh,
    next: nextSlots.next,
    earliest: nextSlots.earliest,
    check: () => {
      const [first, ...others] = nextSlots.failures()
      if (!first) return
      const more = others.length > 0 ? `, and of ${others.length} more` : ''
      throw new Error(`The due times of the job "${first[0]}"${more} cannot be decided: ${first[1]}`)
    },
    tick: now => {
      const leapMs = compareClocks(now)
      if (nextSlots.isStale()) nextSlots.restart(now)
      const set = live.current()
      if (!set) return
      try {
        for (const { rows, replaces } of decideDue(db, nextSlots, { set, queue, now, leapMs, fullSince })) {
          if (replaces && rows[0]) queue.replace(rows[0].jobId, rows[0])
          queue.add(rows)
        }
        fullSince = Number.POSITIVE_INFINITY
      } catch (error) {
        if (isDiskFull(error)) fullSince = Math.min(fullSince, now - lateMs)
        try {
          nextSlots.restart(now)
        } catch {
          // They are stale now; the next tick tries again.
        }
        throw error
      }
    },
  }
}

/** Decides every job that is due. One whose slots cannot be decided comes up again with the next tick. */
function decideDue(db: JobsDb, nextSlots: NextSlots, options: DecisionOptions): Decision[] {
  const all = nextSlots.takeDue(options.now)
  if (all.length === 0) return []
  const decide = (tx: Tx, { jobId, at }: Due): Decision[] => {
    const job = options.set.jobs.get(jobId)
    if (!job) return []
    const decision = decideJob(tx, job, at, options)
    if (decision.next !== null) nextSlots.add({ jobId, at: decision.next })
    return [decision]
  }
  try {
    const decisions = db.transaction(tx => all.flatMap(due => decide(tx, due)))
    for (const { jobId } of all) nextSlots.succeed(jobId)
    return decisions
  } catch (error) {
    if (isOfDatabase(error)) throw error
  }
  // Some job failed: each gets a savepoint, so that it does not keep the others waiting.
  return db.transaction(tx =>
    all.flatMap(due => {
      try {
        const decisions = tx.transaction(part => decide(part, due))
        nextSlots.succeed(due.jobId)
        return decisions
      } catch (error) {
        if (isOfDatabase(error)) throw error
        nextSlots.add(due)
        nextSlots.fail(due.jobId, error as Error)
        return []
      }
    }),
  )
}

/** Whether the database itself failed, and not what one job put into it. */
function isOfDatabase(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('SQLITE_') && !code.startsWith('SQLITE_CONSTRAINT')
}
