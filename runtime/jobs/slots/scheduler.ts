import type { Clock } from '../../../src/clock.ts'
import { newId } from '../../../src/ids.ts'
import type { Logger } from '../../../src/log.ts'
import { isDiskFull } from '../../../src/storage/disk.ts'
import { nextSlot } from '../../cron/cron.ts'
import { patternOf } from '../../cron/cron-pattern.ts'
import type { JobSpec } from '../../manifest/manifest.ts'
import { scheduledParams } from '../../params/params.ts'
import type { SlotOutcome } from '../contract.ts'
import { lateMs, policyOf } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSet, LiveSetStore } from '../live-set/live-set.ts'
import type { RunQueue } from '../runs/run-queue.ts'
import { insertRun, type RunRow } from '../runs/run-record.ts'
import { lastDecided, recordSlot } from './ledger.ts'
import { absence, diskWasFull, lateReason, unlisted } from './slot-reason.ts'
import { createSlotTable, type Due } from './slot-table.ts'

export interface Scheduler {
  /** Decides every slot that is due at `now`. */
  tick(now: number): void
  /** Takes over the jobs of the live set; those whose schedule stayed keep their next slot. */
  refresh(now: number): void
  next(jobId: string): number | null
  /** When the next slot of any job is due. */
  earliest(): number | null
  /** Throws in words when the slots of some job cannot be decided. */
  check(): void
}

/** So many missed slots of one job are listed one by one, and so many are caught up. */
const missedLimit = 100
/** So many runs of one job wait for the one before them. */
const queueLimit = 100
/** Where the last slots are looked for when there are too many to list. */
const lookBackMs = [5 * 60_000, 3_600_000, 86_400_000, 32 * 86_400_000, 366 * 86_400_000]

export function createScheduler(options: {
  db: JobsDb
  live: LiveSetStore
  queue: RunQueue
  clock: Clock
  log: Logger
}): Scheduler {
  const { db, live, queue, clock, log } = options
  const table = createSlotTable()
  /** What each entry of the table was computed from. */
  const entered = new Map<string, string>()
  /** Jobs whose slots could not be decided, and why. */
  const failing = new Map<string, string>()
  /** The last tick on both clocks: how much further the wall clock has gone since was not time that passed. */
  let lastTick: { wall: number; monotonic: number } | null = null
  /** Set forward by so much just before this tick; 0 when it was not. */
  let leapMs = 0
  /** From when on nothing could be decided, because nothing could be written. */
  let fullSince = Number.POSITIVE_INFINITY

  const enter = (job: JobSpec, after: number) => {
    try {
      const slot = nextSlot(job, after)
      if (slot) table.add({ jobId: job.id, at: slot.at })
      else table.remove(job.id)
    } catch (error) {
      // Stored by an older program that accepted more. One such job must not keep the others from running.
      table.remove(job.id)
      blame(job.id, error as Error)
    }
  }

  const refresh = (now: number) => {
    const jobs = live.current()?.jobs ?? new Map<string, JobSpec>()
    for (const jobId of entered.keys()) {
      if (jobs.has(jobId) && live.schedule(jobId).enabled) continue
      entered.delete(jobId)
      failing.delete(jobId)
      table.remove(jobId)
    }
    const changed = [...jobs.values()].filter(job => live.schedule(job.id).enabled && isNew(job))
    const decided = lastDecided(
      db,
      changed.map(job => job.id),
      now,
    )
    for (const job of changed) {
      const { since } = live.schedule(job.id)
      entered.set(job.id, basisOf(job))
      failing.delete(job.id)
      const { before, after } = decided.get(job.id) ?? {}
      // Slots ahead may be decided already, when the clock was once wrong: those must not silence the job until then,
      // and what lies behind the clock was decided with them.
      const from = before ?? (after === undefined ? since : now)
      enter(job, Math.min(now, Math.max(since, from)))
    }
  }
  const basisOf = ({ id, cron, timezone }: JobSpec) => `${cron} ${timezone} ${live.schedule(id).since}`
  const isNew = (job: JobSpec) => entered.get(job.id) !== basisOf(job)

  /** Every slot of the job from `first` to `now` in the order of time; of very many, the first and the last ones. */
  const dueSlots = (job: JobSpec, first: number, now: number) => {
    const due = [first]
    let gap: { from: number; to: number } | null = null
    for (let last = first; ; ) {
      if (due.length === missedLimit) {
        const to = lastSlotsFrom(job, now)
        if (last < to) {
          gap = { from: last, to }
          last = to
        }
      }
      const slot = nextSlot(job, last)
      if (!slot || slot.at > now) return { due, gap, next: slot?.at ?? null }
      last = slot.at
      due.push(last)
    }
  }

  /** Decides the slots of one job that are due; the runs that come of it are in the database, but not started. */
  const decide = (tx: Tx, set: LiveSet, job: JobSpec, first: number, now: number): Decision => {
    const { due, gap, next } = dueSlots(job, first, now)
    if (next !== null) table.add({ jobId: job.id, at: next })
    const decision: Decision = { rows: [], replaces: false }
    const write = (at: number, outcome: SlotOutcome, reason: string | null, runId: string | null = null) =>
      recordSlot(tx, { jobId: job.id, at, outcome, reason, runId }, now)
    const { several } = patternOf(job.cron)
    const catchingUp = job.catchUp === 'all' && queue.isCatchingUp(job.id)

    for (const [index, at] of due.entries()) {
      const fromEnd = due.length - 1 - index
      if (at === gap?.from) {
        write(at, 'missed', unlisted(gap))
        continue
      }
      if (!isWanted(job, now - at, fromEnd)) {
        write(at, 'missed', at >= fullSince ? diskWasFull : absence(now - at, leapMs))
        continue
      }
      // The one that is on time waits behind those that are caught up, and takes the place of none.
      const behind = catchingUp || decision.rows.length > 0
      const caughtUp = job.catchUp === 'all' && (fromEnd > 0 || now - at > lateMs || behind)
      const before = decision.rows.at(-1) ?? queue.activeRun(job.id)
      if (before && !caughtUp && job.overlap === 'skip') {
        write(at, 'skipped', `the run ${before.id} before it had not ended`)
        continue
      }
      if (!caughtUp && job.overlap === 'queue' && queue.count(job.id) >= queueLimit) {
        write(at, 'skipped', `${queueLimit} runs of the job were waiting`)
        continue
      }
      const late = now - at > lateMs
      const id = newId('run', now)
      const reason = late ? lateReason(now - at, leapMs) : null
      const outcome = late ? 'late' : 'ran'
      const repeats = several && !late ? mostRepeats : 0
      const slot = firstFree(at, repeats, each => write(each, outcome, reason, id))
      if (slot === null) continue
      decision.replaces ||= !caughtUp && job.overlap === 'replace' && before !== null
      const { build, commit } = set
      const { id: jobId, timeout: timeoutMs } = job
      const policy = policyOf(job)
      const run = {
        id,
        jobId,
        trigger: 'schedule' as const,
        slot,
        params: scheduledParams(job.params),
        build,
        commit,
        timeoutMs,
        policy,
      }
      decision.rows.push(insertRun(tx, run, now))
    }
    return decision
  }

  /** True while the table is not what the ledger says, because that could not be read. */
  let stale = false
  /** Computes every next slot anew, from the ledger. */
  const restart = (now: number) => {
    stale = true
    table.clear()
    entered.clear()
    failing.clear()
    refresh(now)
    stale = false
  }

  /** Notices that the clock was set since the last tick. */
  const compareClocks = (now: number) => {
    const monotonic = clock.monotonic()
    const ahead = lastTick ? now - lastTick.wall - (monotonic - lastTick.monotonic) : 0
    leapMs = ahead > lateMs ? ahead : 0
    if (leapMs > 0) log.warn({ byMs: Math.round(leapMs), to: new Date(now) }, 'the clock was set forward')
    if (lastTick && now < lastTick.wall - 1000) {
      log.warn({ from: new Date(lastTick.wall), to: new Date(now) }, 'the clock was set back')
      restart(now)
    }
    lastTick = { wall: now, monotonic }
  }

  const decideDue = (set: LiveSet, now: number): Decision[] => {
    const all: Due[] = []
    for (let due = table.takeDue(now); due; due = table.takeDue(now)) all.push(due)
    if (all.length === 0) return []
    const decideOne = (tx: Tx, { jobId, at }: Due) => {
      const job = set.jobs.get(jobId)
      return job ? [decide(tx, set, job, at, now)] : []
    }
    try {
      const decisions = db.transaction(tx => all.flatMap(due => decideOne(tx, due)))
      for (const { jobId } of all) failing.delete(jobId)
      return decisions
    } catch (error) {
      if (isOfDatabase(error)) throw error
      return decideApart(all, decideOne)
    }
  }

  /** Each job for itself, so that one that fails keeps no other waiting; it comes up again with the next tick. */
  const decideApart = (all: readonly Due[], decideOne: (tx: Tx, due: Due) => Decision[]): Decision[] =>
    db.transaction(tx =>
      all.flatMap(due => {
        try {
          const decisions = tx.transaction(part => decideOne(part, due))
          failing.delete(due.jobId)
          return decisions
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
    earliest: table.earliest,
    check: () => {
      const [first, ...others] = failing
      if (!first) return
      const more = others.length > 0 ? `, and of ${others.length} more` : ''
      throw new Error(`The due times of the job "${first[0]}"${more} cannot be decided: ${first[1]}`)
    },
    tick: now => {
      compareClocks(now)
      if (stale) restart(now)
      const set = live.current()
      if (!set) return
      try {
        for (const { rows, replaces } of decideDue(set, now)) {
          if (replaces && rows[0]) queue.replace(rows[0].jobId, rows[0])
          queue.add(rows)
        }
        fullSince = Number.POSITIVE_INFINITY
      } catch (error) {
        if (isDiskFull(error)) fullSince = Math.min(fullSince, now - lateMs)
        // Nothing was written; what the table lost by then comes back from the ledger, and is due with the next tick.
        try {
          restart(now)
        } catch {
          // The next tick tries again, and fails with it.
        }
        throw error
      }
    },
  }
}

/** What came of the due slots of one job. */
interface Decision {
  rows: RunRow[]
  /** The first of these runs ends what its job has active. */
  replaces: boolean
}

/** Whether a slot that comes up so late still runs; `fromEnd` is how many later ones of its job are due with it. */
function isWanted({ catchUp, catchUpWindow }: JobSpec, lateBy: number, fromEnd: number): boolean {
  if (catchUp === 'none') return fromEnd === 0 && lateBy <= lateMs
  if (lateBy > catchUpWindow) return false
  return catchUp === 'all' ? fromEnd < missedLimit : fromEnd === 0
}

/** An instant that some slot lies between and now, and not too many do. */
function lastSlotsFrom(job: JobSpec, now: number): number {
  const from = lookBackMs.map(ms => now - ms)
  return from.find(each => (nextSlot(job, each)?.at ?? Number.POSITIVE_INFINITY) <= now) ?? 0
}

/**
 * A clock that was set back shows instants again whose slots are decided. When its schedule is due several times an
 * hour, each of the first `repeats` counts as a slot of its own, a millisecond after the one before; else it was decided.
 */
function firstFree(at: number, repeats: number, take: (at: number) => boolean): number | null {
  for (let repeat = 0; repeat <= repeats; repeat++) if (take(at + repeat)) return at + repeat
  return null
}

const mostRepeats = 60

/** What is wrong with the database itself, and not with what one job put into it. */
function isOfDatabase(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('SQLITE_') && !code.startsWith('SQLITE_CONSTRAINT')
}

type Tx = Parameters<Parameters<JobsDb['transaction']>[0]>[0]
