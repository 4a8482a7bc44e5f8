import type { Logger } from '../../src/log.ts'
import { nextSlot } from './cron.ts'
import { attachRun, lastDecided, recordSlot } from './ledger.ts'
import type { JobsDb, LiveSet, LiveSetStore } from './live-set.ts'
import type { JobSpec } from './manifest.ts'
import type { RunQueue } from './run-queue.ts'
import { insertRun, type RunRow } from './run-record.ts'
import { createSlotTable, type Due } from './slot-table.ts'

export interface Scheduler {
  /** Decides every slot that is due at `now`. */
  tick(now: number): void
  /** Takes over the jobs of the live set; those whose schedule stayed keep their next slot. */
  refresh(now: number): void
  next(jobId: string): number | null
}

/** A slot that comes up later than this says so. */
const lateMs = 5000
/** A slot that comes up later than this does not run any more: it was missed. */
const graceMs = 5 * 60_000
/** So many missed slots of one job are listed one by one. */
const missedLimit = 100

export function createScheduler(options: {
  db: JobsDb
  live: LiveSetStore
  queue: RunQueue
  log: Logger
}): Scheduler {
  const { db, live, queue, log } = options
  const table = createSlotTable()
  /** What each entry of the table was computed from. */
  const entered = new Map<string, string>()
  /** Jobs whose slots could not be decided, and why. */
  const failing = new Map<string, string>()
  let lastTick = Number.NEGATIVE_INFINITY

  const enter = (job: JobSpec, after: number) => {
    const slot = nextSlot(job, after)
    if (slot) table.add({ jobId: job.id, at: slot.at })
    else table.remove(job.id)
  }

  const refresh = (now: number) => {
    const jobs = live.current()?.jobs ?? new Map<string, JobSpec>()
    for (const jobId of entered.keys()) {
      if (jobs.has(jobId) && live.schedule(jobId).enabled) continue
      entered.delete(jobId)
      table.remove(jobId)
    }
    for (const job of jobs.values()) {
      const { enabled, since } = live.schedule(job.id)
      const basis = `${job.cron} ${job.timezone} ${since}`
      if (!enabled || entered.get(job.id) === basis) continue
      entered.set(job.id, basis)
      // A slot far ahead may be decided already, when the clock was once wrong; it must not silence the job until then.
      enter(job, Math.min(now, Math.max(since, lastDecided(db, job.id) ?? since)))
    }
  }

  /** Every slot of the job from `first` to `now` in the order of time; of very many, the first and the last ones. */
  const dueSlots = (job: JobSpec, first: number, now: number) => {
    const due = [first]
    let gap: { from: number; to: number } | null = null
    for (let last = first; ; ) {
      if (due.length === missedLimit && last < now - graceMs) {
        gap = { from: last, to: now - graceMs }
        last = now - graceMs
      }
      const slot = nextSlot(job, last)
      if (!slot || slot.at > now) return { due, gap, next: slot?.at ?? null }
      last = slot.at
      due.push(last)
    }
  }

  /** Decides the slots of one job that are due; the run that comes of it is in the database, but not started. */
  const decide = (tx: Tx, set: LiveSet, job: JobSpec, first: number, now: number): RunRow | null => {
    const { due, gap, next } = dueSlots(job, first, now)
    if (next !== null) table.add({ jobId: job.id, at: next })
    const latest = due.at(-1) as number
    const inTime = now - latest <= graceMs
    for (const at of inTime ? due.slice(0, -1) : due) {
      const reason = at === gap?.from ? unlisted(gap) : 'the instance was not running'
      recordSlot(tx, { jobId: job.id, at, outcome: 'missed', reason }, now)
    }
    if (!inTime) return null
    const slot = { jobId: job.id, at: latest }
    const active = queue.activeRun(job.id)
    if (active) {
      const reason = `the run ${active.id} before it had not ended`
      recordSlot(tx, { ...slot, outcome: 'skipped', reason }, now)
      return null
    }
    const late = now - latest > lateMs
    const reason = late ? `it started ${Math.round((now - latest) / 1000)} seconds late` : null
    if (!recordSlot(tx, { ...slot, outcome: late ? 'late' : 'ran', reason }, now)) return null
    const { build, commit } = set
    const { id: jobId, timeout: timeoutMs } = job
    const run = { jobId, trigger: 'schedule' as const, slot: latest, params: {}, build, commit, timeoutMs }
    const row = insertRun(tx, run, now)
    attachRun(tx, jobId, latest, row.id)
    return row
  }

  /** Computes every next slot anew, from the ledger. */
  const restart = (now: number) => {
    table.clear()
    entered.clear()
    refresh(now)
  }

  const decideDue = (set: LiveSet, now: number): RunRow[] => {
    const all: Due[] = []
    for (let due = table.takeDue(now); due; due = table.takeDue(now)) all.push(due)
    if (all.length === 0) return []
    const decideOne = (tx: Tx, { jobId, at }: Due) => {
      const job = set.jobs.get(jobId)
      return job ? decide(tx, set, job, at, now) : null
    }
    try {
      const rows = db.transaction(tx => all.flatMap(due => decideOne(tx, due) ?? []))
      failing.clear()
      return rows
    } catch (error) {
      if (isOfDatabase(error)) throw error
      return decideApart(all, decideOne)
    }
  }

  /** Each job for itself, so that one that fails keeps no other waiting; it comes up again with the next tick. */
  const decideApart = (all: readonly Due[], decideOne: (tx: Tx, due: Due) => RunRow | null): RunRow[] =>
    db.transaction(tx =>
      all.flatMap(due => {
        try {
          return tx.transaction(part => decideOne(part, due)) ?? []
        } catch (error) {
          if (isOfDatabase(error)) throw error
          table.add(due)
          blame(due.jobId, error as Error)
          return []
        }
      }),
    )

  const blame = (jobId: string, error: Error) => {
    if (failing.get(jobId) !== error.message)
      log.error({ err: error, job: jobId }, 'a slot could not be decided')
    failing.set(jobId, error.message)
  }

  return {
    refresh,
    next: jobId => table.next(jobId),
    tick: now => {
      if (now < lastTick - 1000) {
        log.warn({ from: new Date(lastTick), to: new Date(now) }, 'the clock was set back')
        restart(now)
      }
      lastTick = now
      const set = live.current()
      if (!set) return
      try {
        queue.add(decideDue(set, now))
      } catch (error) {
        // Nothing was written; what the table lost by then comes back from the ledger, and is due with the next tick.
        restart(now)
        throw error
      }
    },
  }
}

/** What is wrong with the database itself, and not with what one job put into it. */
function isOfDatabase(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('SQLITE_') && !code.startsWith('SQLITE_CONSTRAINT')
}

type Tx = Parameters<Parameters<JobsDb['transaction']>[0]>[0]

function unlisted(gap: { to: number }): string {
  return `the instance was not running, until ${new Date(gap.to).toISOString()} at least; the slots up to then are not listed`
}
