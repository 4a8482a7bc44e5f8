import type { Clock } from '../../../src/clock.ts'
import type { Task } from '../../../src/kernel/tasks.ts'
import type { StateService } from '../../state/contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSetStore } from '../live-set/live-set.ts'
import { pruneHistory, type Retention, removeStrayLogs } from './retention.ts'
import type { RunQueue } from './run-queue.ts'

/** The periodic tasks that keep an instance in order. */
export interface Housekeeping {
  /** Deletes the history beyond its limits, and the state of jobs that are long gone. */
  prune(signal?: AbortSignal): Promise<void>
  tasks: readonly Task[]
}

export function housekeeping(options: {
  db: JobsDb
  runsDir: string
  keep: Retention
  live: LiveSetStore
  state: Pick<StateService, 'prune'>
  queue: Pick<RunQueue, 'reconcile'>
  /** Retries the installation of packages whose registry did not answer, when that is due. */
  retryPackages: () => Promise<void>
  /** True until the first load of the jobs has ended. */
  isLoading: () => boolean
  clock: Clock
}): Housekeeping {
  const { db, runsDir, keep, live, state, queue, retryPackages, isLoading, clock } = options
  const prune = async (signal?: AbortSignal) => {
    await pruneHistory(db, runsDir, keep, clock.now(), signal)
    state.prune(new Set(live.current()?.jobs.keys() ?? []))
  }
  return {
    prune,
    tasks: [
      {
        name: 'prune-history',
        everyMs: 5 * 60_000,
        // Not before the first load: a person waits for that, and looking through ten thousand jobs takes seconds.
        run: async signal => {
          if (!isLoading()) await prune(signal)
        },
      },
      {
        name: 'remove-stray-logs',
        everyMs: 6 * 3_600_000,
        run: async signal => void (await removeStrayLogs(db, runsDir, signal)),
      },
      { name: 'retry-packages', everyMs: 5000, run: retryPackages },
      { name: 'reconcile-runs', everyMs: 5000, run: async () => queue.reconcile() },
    ],
  }
}
