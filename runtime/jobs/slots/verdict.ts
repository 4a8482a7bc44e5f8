import type { JobSpec } from '../../manifest/manifest.ts'
import { lateMs } from '../follow-up.ts'
import { missedLimit } from './due-slots.ts'
import { absence, diskWasFull, lateReason, unlisted } from './slot-reason.ts'

/** What the manifest says about slots that come up late or while another run is active. */
export type SlotPolicy = Pick<JobSpec, 'catchUp' | 'catchUpWindow' | 'overlap'>

/** What is known about a due slot when it is decided. */
export interface SlotFacts {
  at: number
  now: number
  /** How many later slots of its job are due with it. */
  laterDue: number
  /** How far the clock was set forward just before; 0 when it was not. */
  leapMs: number
  /** Since when the disk has been full; infinite when it is not. */
  fullSince: number
  /** The last slot that is listed before a gap in `dueSlots`; it stands for those that are not. */
  gap: { from: number; to: number } | null
  /** Whether slots of the job that came up late still run or wait. */
  catchingUp: boolean
  /** The run that was just made for an earlier slot of the same job. */
  madeRun: string | null
  /** The newest run of the job that has not ended. */
  activeRun: string | null
  /** How many runs of the job have not ended. */
  activeRuns: number
}

/** What becomes of a slot. With `starts` it gets a run; with `replaces` that run ends the active ones of its job. */
export type Verdict =
  | { starts: false; outcome: 'missed' | 'skipped'; reason: string }
  | { starts: true; outcome: 'ran' | 'late'; reason: string | null; replaces: boolean }

/** At most this many runs of one job wait for the one before them. */
export const queueLimit = 100

/**
 * Decides what becomes of a due slot:
 *
 * 1. The last slot before a gap is missed, and its reason stands for the slots that are not listed.
 * 2. A slot that its job does not catch up is missed.
 * 3. A slot that is caught up, or comes behind others that are, gets a run. That run waits for those before it.
 * 4. With `overlap: 'skip'`, a slot is skipped while another run of its job is active.
 * 5. With `overlap: 'queue'`, a slot is skipped while too many runs of its job wait.
 * 6. Any other slot gets a run. With `overlap: 'replace'`, that run replaces the active ones.
 */
export function verdictOn(policy: SlotPolicy, slot: SlotFacts): Verdict {
  const { at, leapMs, gap } = slot
  const lateBy = slot.now - at
  if (gap !== null && at === gap.from) return missed(unlisted(gap))
  if (!isWanted(policy, lateBy, slot.laterDue)) {
    return missed(at >= slot.fullSince ? diskWasFull : absence(lateBy, leapMs))
  }
  const late = lateBy > lateMs
  const before = slot.madeRun ?? slot.activeRun
  const caughtUp = isCaughtUp(policy, slot, late)
  if (!caughtUp && policy.overlap === 'skip' && before !== null) {
    return skipped(`the run ${before} before it had not ended`)
  }
  if (!caughtUp && policy.overlap === 'queue' && slot.activeRuns >= queueLimit) {
    return skipped(`${queueLimit} runs of the job were waiting`)
  }
  return {
    starts: true,
    outcome: late ? 'late' : 'ran',
    reason: late ? lateReason(lateBy, leapMs) : null,
    replaces: !caughtUp && policy.overlap === 'replace' && before !== null,
  }
}

/** Whether a slot that comes up this late still runs. */
function isWanted({ catchUp, catchUpWindow }: SlotPolicy, lateBy: number, laterDue: number): boolean {
  if (catchUp === 'none') return laterDue === 0 && lateBy <= lateMs
  if (lateBy > catchUpWindow) return false
  return catchUp === 'all' ? laterDue < missedLimit : laterDue === 0
}

/** A slot that is on time waits behind those that are being caught up, and replaces none of them. */
function isCaughtUp({ catchUp }: SlotPolicy, { laterDue, catchingUp, madeRun }: SlotFacts, late: boolean) {
  return catchUp === 'all' && (laterDue > 0 || late || catchingUp || madeRun !== null)
}

const missed = (reason: string): Verdict => ({ starts: false, outcome: 'missed', reason })
const skipped = (reason: string): Verdict => ({ starts: false, outcome: 'skipped', reason })
