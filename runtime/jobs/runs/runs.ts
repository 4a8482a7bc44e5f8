import type { Clock } from '../../../src/clock.ts'
import type { Run, RunLogs, Runs } from '../contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSetStore } from '../live-set/live-set.ts'
import { runEnd } from './run-end.ts'
import type { RunQueue } from './run-queue.ts'
import { asRun, findRun, listRuns, type RunRow, recentRuns } from './run-record.ts'
import { createRunsByHand } from './runs-by-hand.ts'

/** Runs, as other features ask for them. `stopping` ends every wait for the end of a run. */
export function runService(options: {
  db: JobsDb
  live: LiveSetStore
  queue: RunQueue
  clock: Clock
  logs: Pick<RunLogs, 'open'>
  mostWaiting: number
  stopping: AbortSignal
}): Runs {
  const { db, queue, logs, stopping } = options
  const byHand = createRunsByHand(options)
  const find = (id: string): Run | null => {
    const row = findRun(db, id)
    return row && asRun(row)
  }
  /** The run as it is now: the queue may have started it already. */
  const started = (row: RunRow): Run => find(row.id) ?? asRun(row)
  return {
    find,
    start: (jobId, given) => started(byHand.run(jobId, given)),
    replay: (runId, trigger) => {
      const row = findRun(db, runId)
      return row && started(byHand.replay(row, trigger))
    },
    cancel: async runId => {
      await queue.cancel(runId)
      return find(runId)
    },
    list: filter => listRuns(db, filter),
    recent: (jobIds, most) => recentRuns(db, jobIds, most),
    waiting: queue.waiting,
    end: (runId, signal) => runEnd({ find, logs }, runId, AbortSignal.any([signal, stopping])),
  }
}
