import { newId } from '../../../src/ids.ts'
import { patternOf } from '../../cron/cron-pattern.ts'
import type { JobSpec } from '../../manifest/manifest.ts'
import { scheduledParams } from '../../params/params.ts'
import type { SlotOutcome } from '../contract.ts'
import { policyOf } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSet } from '../live-set/live-set.ts'
import type { RunQueue } from '../runs/run-queue.ts'
import { insertRun, type RunRow } from '../runs/run-record.ts'
import { dueSlots } from './due-slots.ts'
import { recordSlot } from './ledger.ts'
import { verdictOn } from './verdict.ts'

/** What came of the due slots of one job. */
export interface Decision {
  rows: RunRow[]
  /** The first of these runs ends what its job has active. */
  replaces: boolean
  /** The first slot that is not due yet; null when there is none. */
  next: number | null
}

export interface DecisionOptions {
  set: LiveSet
  queue: Pick<RunQueue, 'activeRun' | 'count' | 'isCatchingUp'>
  now: number
  /** See `SlotFacts`. */
  leapMs: number
  fullSince: number
}

export type Tx = Parameters<Parameters<JobsDb['transaction']>[0]>[0]

/**
 * Decides the due slots of one job, from `first` on, and writes each with its run. The runs are in the database then,
 * but not started.
 */
export function decideJob(tx: Tx, job: JobSpec, first: number, options: DecisionOptions): Decision {
  const { set, queue, now, leapMs, fullSince } = options
  const { due, gap, next } = dueSlots(job, first, now)
  const decision: Decision = { rows: [], replaces: false, next }
  const catchingUp = job.catchUp === 'all' && queue.isCatchingUp(job.id)
  const activeRun = queue.activeRun(job.id)?.id ?? null
  const activeRuns = queue.count(job.id)
  for (let index = 0; index < due.length; index++) {
    const at = due[index] as number
    const verdict = verdictOn(job, {
      at,
      now,
      laterDue: due.length - 1 - index,
      leapMs,
      fullSince,
      gap,
      catchingUp,
      madeRun: decision.rows.at(-1)?.id ?? null,
      activeRun,
      activeRuns,
    })
    const { outcome, reason } = verdict
    if (!verdict.starts) {
      recordSlot(tx, { jobId: job.id, at, outcome, reason, runId: null }, now)
      continue
    }
    const runId = newId('run', now)
    const slot = recordStart(tx, job, { at, outcome, reason, runId }, now)
    if (slot === null) continue
    decision.replaces ||= verdict.replaces
    decision.rows.push(insertScheduledRun(tx, set, job, { id: runId, slot }, now))
  }
  return decision
}

/** How often an instant may come again because the clock was set back, and still start a run. */
const mostRepeats = 60

/**
 * Records a slot that starts a run, and returns its time in the ledger; null when it was decided before.
 *
 * A clock that was set back shows instants again whose slots are decided. When the schedule is due several times an
 * hour, each of the first repeats counts as a slot of its own, one millisecond after the one before. Others do not run
 * again.
 */
function recordStart(
  tx: Tx,
  { id: jobId, cron }: JobSpec,
  { at, outcome, reason, runId }: { at: number; outcome: SlotOutcome; reason: string | null; runId: string },
  now: number,
): number | null {
  const last = outcome === 'ran' && patternOf(cron).several ? at + mostRepeats : at
  for (let slot = at; slot <= last; slot++) {
    if (recordSlot(tx, { jobId, at: slot, outcome, reason, runId }, now)) return slot
  }
  return null
}

function insertScheduledRun(
  tx: Tx,
  { build, commit }: LiveSet,
  job: JobSpec,
  { id, slot }: { id: string; slot: number },
  now: number,
): RunRow {
  const run = {
    id,
    jobId: job.id,
    trigger: 'schedule' as const,
    slot,
    params: scheduledParams(job.params),
    build,
    commit,
    timeoutMs: job.timeout,
    policy: policyOf(job),
  }
  return insertRun(tx, run, now)
}
