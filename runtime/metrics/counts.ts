import type { Clock } from '../../src/clock.ts'
import { Histogram } from '../../src/metrics/histogram.ts'
import type { JobsService, Run } from '../jobs/contract.ts'

/** Upper bounds in seconds. */
const buckets = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600] as const
/** The most jobs with series of their own; others are counted under `job=""`. */
export const mostJobs = 200
const pageSize = 500
const mostDecided = 100_000

/**
 * Counts events since the program started. It counts nothing by itself: `update` reads what is new in the ledger and
 * the history.
 */
export function createCounts(clock: Clock) {
  const startedAt = clock.now()
  const ended = new Map<Run['status'], number>()
  const slots = new Map<string, number>()
  const durations = new Map<string, Histogram>()
  const lastSuccess = new Map<string, number>()
  /** Runs that had not ended at the last update. */
  const open = new Set<string>()
  let newest: string | null = null
  let decidedBefore = startedAt

  const count = (run: Run) => {
    ended.set(run.status, (ended.get(run.status) ?? 0) + 1)
    if (run.status === 'succeeded') lastSuccess.set(run.jobId, run.finishedAt ?? clock.now())
    if (run.durationMs === null) return
    const job = durations.has(run.jobId) || durations.size < mostJobs ? run.jobId : ''
    const histogram = durations.get(job) ?? new Histogram(buckets)
    histogram.observe(run.durationMs / 1000)
    durations.set(job, histogram)
  }

  const countRuns = (jobs: JobsService) => {
    for (const id of open) {
      const run = jobs.runs.find(id)
      if (run?.finishedAt === null) continue
      open.delete(id)
      if (run) count(run)
    }
    const fresh: Run[] = []
    for (let offset = 0; ; offset += pageSize) {
      const { runs } = jobs.runs.list({ limit: pageSize, offset })
      const known = runs.findIndex(run => run.id === newest || run.queuedAt < startedAt)
      fresh.push(...(known < 0 ? runs : runs.slice(0, known)))
      if (known >= 0 || runs.length < pageSize) break
    }
    for (const run of fresh.toReversed()) {
      if (run.finishedAt === null) open.add(run.id)
      else count(run)
    }
    newest = fresh[0]?.id ?? newest
  }

  const countSlots = (jobs: JobsService) => {
    const now = clock.now()
    const filter = { decidedFrom: decidedBefore, decidedBefore: now, limit: mostDecided }
    for (const { outcome } of jobs.slots.ledger(filter)) slots.set(outcome, (slots.get(outcome) ?? 0) + 1)
    decidedBefore = now
  }

  const successOf = ({ runs }: JobsService, jobId: string): number => {
    const known = lastSuccess.get(jobId)
    if (known !== undefined) return known
    const [run] = runs.list({ jobId, status: 'succeeded', limit: 1, offset: 0 }).runs
    lastSuccess.set(jobId, run?.finishedAt ?? 0)
    return run?.finishedAt ?? 0
  }

  return {
    /** When the program started. */
    startedAt,
    /** Number of ended runs, by status. */
    ended: ended as ReadonlyMap<Run['status'], number>,
    /** Number of decided due times, by outcome. */
    slots: slots as ReadonlyMap<string, number>,
    /** Durations of runs, by job. */
    durations: durations as ReadonlyMap<string, Histogram>,
    update: (jobs: JobsService): void => {
      countRuns(jobs)
      countSlots(jobs)
    },
    /** The end of the job's last successful run; 0 if there is none. */
    successOf,
  }
}
