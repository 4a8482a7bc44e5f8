import { nextSlot } from '../../cron/cron.ts'
import type { Job, Run } from '../../jobs/contract.ts'
import type { Finding, IncidentKind } from '../finding.ts'
import type { Watched } from './watched.ts'

/** Ticks come every second; a slot undecided for this long is overdue. */
const overdueMs = 60_000
const failures = new Set<Run['status']>(['failed', 'timed_out', 'interrupted'])
/** The least number of due times to check; each may have several attempts, with manual runs in between. */
const leastLookedAt = 20
const mostLookedAt = 500

/** Checks every job; its runs are read again only after a new run. */
export function createWatch(engine: Watched) {
  const known = new Map<string, { basis: string; streak: Run[]; last: Run | null }>()

  const historyOf = (job: Job, failures: number) => {
    const attempts = job.policies.retry?.attempts ?? 1
    const limit = Math.min(mostLookedAt, Math.max(leastLookedAt, 2 * failures * attempts))
    const basis = `${job.lastRun?.id} ${job.lastRun?.status} ${limit}`
    const held = known.get(job.id)
    if (held?.basis === basis) return held
    const { runs } = engine.runs({ jobId: job.id, limit, offset: 0 })
    const history = {
      basis,
      streak: failureStreak(runs),
      // The person who started a manual run watches it.
      last: runs.find(run => run.startedAt !== null && run.trigger !== 'manual') ?? null,
    }
    known.set(job.id, history)
    return history
  }

  return (now: number, failuresInARow: number): Finding[] => {
    const jobs = engine.jobs()
    const ids = new Set(jobs.map(job => job.id))
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    return jobs
      .filter(job => job.enabled)
      .flatMap((job): Finding[] => {
        const found: Finding[] = []
        const say = (kind: IncidentKind, detail: string, run?: Run | null) =>
          found.push({ jobId: job.id, kind, detail, ...(run && { run }) })
        const { failures, longRun, overdue } = job.notify
        if (!overdue) {
          // The job does not want this notice.
        } else if (job.nextRunAt === null) {
          say('no-next-slot', `The job is enabled, but "${job.cron}" has no further due times.`)
        } else if (now - job.nextRunAt > overdueMs) {
          say('overdue', `The job was due at ${new Date(job.nextRunAt).toISOString()}, but did not start.`)
        }
        const enough = failures ?? failuresInARow
        const { streak, last } = historyOf(job, enough || 1)
        const cause = streak[0]
        if (cause && enough !== false && streak.length >= enough)
          say('failing', failureWords(cause, streak.length), cause)
        const slow = longRun !== false && last && tooLong(job, last, now)
        if (slow) say('too-long', slow, last)
        return found
      })
  }
}

/**
 * Returns the newest failed runs, up to one that did not fail. Only the last attempt of a slot counts, and none while
 * one is in progress. A failed manual run does not count, because a person watched it; a successful one does.
 */
export function failureStreak(runs: readonly Run[]): Run[] {
  const streak: Run[] = []
  // First attempts of which a newer attempt was seen. Runs by API have no due time to identify them by.
  const superseded = new Set<string>()
  for (const run of runs) {
    const first = run.attemptOf ?? run.id
    if (superseded.has(first)) continue
    superseded.add(first)
    if (run.status === 'succeeded') break
    if (failures.has(run.status) && run.trigger !== 'manual') streak.push(run)
  }
  return streak
}

function failureWords(run: Run, times: number): string {
  const how = times === 1 ? 'Its last run' : `Its last ${times} runs`
  const what =
    run.status === 'timed_out' ? 'took too long' : run.status === 'interrupted' ? 'was interrupted' : 'failed'
  const why = run.error?.message.split('\n')[0]
  const ending = times > 1 && run.status === 'interrupted' ? 'were interrupted' : what
  return why ? `${how} ${ending}: ${why}` : `${how} ${ending}.`
}

/**
 * Returns a finding if the run took, or has taken so far, longer than its job allows; by default the time between two
 * slots.
 */
function tooLong(job: Job, run: Run, now: number): string | null {
  if (run.startedAt === null) return null
  const tookMs = run.durationMs ?? (run.finishedAt ?? now) - run.startedAt
  const so = run.finishedAt === null ? 'has taken' : 'took'
  const took = `Its last run ${so} ${Math.round(tookMs / 1000)} seconds`
  const { longRun } = job.notify
  if (typeof longRun === 'number') {
    return tookMs > longRun ? `${took}, and ${longRun / 1000} are the most that it should.` : null
  }
  if (tookMs < 1000) return null
  const first = nextSlot(job, run.startedAt)
  const second = first && nextSlot(job, first.at)
  if (!first || !second || tookMs <= second.at - first.at) return null
  const every = Math.round((second.at - first.at) / 1000)
  return `${took}, and it is due every ${every}.`
}
