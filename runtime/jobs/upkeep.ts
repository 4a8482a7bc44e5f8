import type { Clock } from '../../src/clock.ts'
import { startTask, type Task } from '../../src/kernel/tasks.ts'
import type { Logger } from '../../src/log.ts'
import type { StateStore } from '../state/state.ts'
import type { JobsDb, LiveSetStore } from './live-set.ts'
import { pruneHistory, type Retention, removeStrayLogs } from './retention.ts'
import type { RunQueue } from './run-queue.ts'

/** What keeps an instance in order from time to time. */
export interface Upkeep {
  /** Forgets the history that is too much, and what jobs remember that are long gone. */
  prune(signal?: AbortSignal): Promise<void>
  stop(): Promise<void>
}

export function startUpkeep(options: {
  db: JobsDb
  runsDir: string
  keep: Retention
  live: LiveSetStore
  state: Pick<StateStore, 'prune'>
  queue: Pick<RunQueue, 'settle'>
  /** Installs packages again whose registry did not answer, when that is due. */
  retryPackages: () => Promise<void>
  /** True until the first load of the jobs has ended. */
  isLoading: () => boolean
  clock: Clock
  log: Logger
}): Upkeep {
  const { db, runsDir, keep, live, state, queue, retryPackages, isLoading, clock, log } = options
  const prune = async (signal?: AbortSignal) => {
    await pruneHistory(db, runsDir, keep, clock.now(), signal)
    state.prune(new Set(live.current()?.jobs.keys() ?? []))
  }
  const tasks: Task[] = [
    {
      name: 'prune-history',
      everyMs: 5 * 60_000,
      // Not before the first load: somebody waits for that, and ten thousand jobs take seconds to look through.
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
    { name: 'settle-runs', everyMs: 5000, run: async () => queue.settle() },
  ]
  const running = tasks.map(task => startTask(task, { clock, log }))
  return { prune, stop: async () => void (await Promise.all(running.map(task => task.stop()))) }
}
