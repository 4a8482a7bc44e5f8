import type { Logger } from '../../../src/log.ts'
import { nextSlot } from '../../cron/cron.ts'
import type { JobSpec } from '../../manifest/manifest.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSetStore } from '../live-set/live-set.ts'
import { type Decided, lastDecided } from './ledger.ts'
import { createSlotTable, type Due } from './slot-table.ts'

/** The next slot of every enabled job of the live set. */
export interface NextSlots {
  /** Takes over the jobs of the live set; those whose schedule stayed keep their next slot. */
  refresh(now: number): void
  /** Computes every next slot anew from the ledger. Throws when that cannot be read; then the slots are stale. */
  restart(now: number): void
  isStale(): boolean
  /** Takes out every job that is due at `now`, with its first due slot. */
  takeDue(now: number): Due[]
  add(due: Due): void
  next(jobId: string): number | null
  /** When the next slot of any job is due. */
  earliest(): number | null
  /** Remembers that the slots of a job cannot be decided, and logs each new reason once. */
  fail(jobId: string, error: Error): void
  succeed(jobId: string): void
  /** The jobs whose slots cannot be decided, each with the reason. */
  failures(): ReadonlyMap<string, string>
}

export function createNextSlots({
  db,
  live,
  log,
}: {
  db: JobsDb
  live: LiveSetStore
  log: Logger
}): NextSlots {
  const table = createSlotTable()
  /** What the entry of each job was computed from. */
  const schedules = new Map<string, string>()
  const failing = new Map<string, string>()
  let stale = false

  const scheduleOf = ({ id, cron, timezone }: JobSpec) => `${cron} ${timezone} ${live.schedule(id).since}`

  const fail = (jobId: string, error: Error) => {
    if (failing.get(jobId) !== error.message)
      log.error({ err: error, job: jobId }, 'a slot could not be decided')
    failing.set(jobId, error.message)
  }

  const enter = (job: JobSpec, after: number) => {
    try {
      const slot = nextSlot(job, after)
      if (slot) table.add({ jobId: job.id, at: slot.at })
      else table.remove(job.id)
    } catch (error) {
      // An older program that accepted more stored this job. It must not keep the others from running.
      table.remove(job.id)
      fail(job.id, error as Error)
    }
  }

  const refresh = (now: number) => {
    const jobs = live.current()?.jobs ?? new Map<string, JobSpec>()
    for (const jobId of schedules.keys()) {
      if (jobs.has(jobId) && live.schedule(jobId).enabled) continue
      schedules.delete(jobId)
      failing.delete(jobId)
      table.remove(jobId)
    }
    const changed = [...jobs.values()].filter(
      job => live.schedule(job.id).enabled && schedules.get(job.id) !== scheduleOf(job),
    )
    const ids = changed.map(job => job.id)
    const decided = lastDecided(db, ids, now)
    for (const job of changed) {
      schedules.set(job.id, scheduleOf(job))
      failing.delete(job.id)
      enter(job, startOf(live.schedule(job.id).since, decided.get(job.id), now))
    }
  }

  return {
    refresh,
    restart: now => {
      stale = true
      table.clear()
      schedules.clear()
      failing.clear()
      refresh(now)
      stale = false
    },
    isStale: () => stale,
    takeDue: now => {
      const all: Due[] = []
      for (let due = table.takeDue(now); due; due = table.takeDue(now)) all.push(due)
      return all
    },
    add: table.add,
    next: table.next,
    earliest: table.earliest,
    fail,
    succeed: jobId => void failing.delete(jobId),
    failures: () => failing,
  }
}

/**
 * Returns the instant after which the slots of a job are still to be decided. `since` is when its schedule began.
 *
 * When the clock was once wrong, slots that lie ahead may be decided already. They must not silence the job until then;
 * what lies behind the clock was decided with them.
 */
export function startOf(since: number, { before, after }: Decided = {}, now: number): number {
  const decidedUpTo = before ?? (after === undefined ? since : now)
  return Math.min(now, Math.max(since, decidedUpTo))
}
