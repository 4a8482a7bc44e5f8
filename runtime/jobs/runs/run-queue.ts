import { join } from 'node:path'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { logFile } from '../../runner/log-file.ts'
import { createRunLog, type RunLog } from '../../runner/run-log.ts'
import { createRunners } from '../../runner/spare-runner.ts'
import type { SecretsService } from '../../secrets/contract.ts'
import type { StateService } from '../../state/contract.ts'
import type { Folders, Room } from '../../volume/contract.ts'
import type { WaitingRun } from '../contract.ts'
import { isCaughtUp, pauseBefore } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import { type ActiveRun, ActiveRuns } from './active-runs.ts'
import { createEndRecords } from './end-records.ts'
import { endRun, executeRun, memoryOf } from './execution.ts'
import { activeRuns, type RunEnding, type RunRow } from './run-record.ts'
import { inStartOrder, waitReason } from './start-rule.ts'

/** How much is kept of a log while the instance has no disk space left. */
const shortLogBytes = 8 * 1024

export interface RunLimits {
  /** The most runs that are in progress at the same time; the others wait in order. */
  concurrent: number
  /**
   * With this many runs in the queue, none can be added by hand. Slots still add theirs: a schedule has at most one run
   * waiting, unless it asks for more.
   */
  waiting: number
  /** Memory limit in MiB of a run and its children, if its job sets none. */
  memoryMb: number
  /** How long a run may take to tidy up when it is asked to end. */
  graceMs: number
}

/** Queues runs and executes them, a limited number at a time. */
export interface RunQueue {
  /** Queues runs that are in the database as `queued`. */
  add(rows: readonly RunRow[]): void
  /** Starts the runs whose time has come. */
  wake(): void
  /** Prepares for a slot that is due in a moment. */
  expect(): void
  /** Begins to start the process of a run that is about to be recorded and added, if it would not have to wait. */
  begin(policy: RunRow['policy']): void
  isFull(): boolean
  isStopped(): boolean
  /** The queued runs in the order in which they are to start, each with what it waits for. */
  waiting(): WaitingRun[]
  /** The newest run of the job that has not ended. An attempt that waits for its time does not count. */
  activeRun(jobId: string): RunRow | null
  /** How many runs of the job have not ended. */
  count(jobId: string): number
  /** Whether slots of the job that came up late still run or wait. */
  isCatchingUp(jobId: string): boolean
  /** Cancels the active runs of a job, which the run `by` replaces. */
  replace(jobId: string, by: RunRow): void
  /** The log of a run that has not ended, or whose log is not on disk yet. */
  log(runId: string): RunLog | null
  /** The builds that runs still need. */
  builds(): Set<string>
  /** Cancels a run, and resolves when it has ended; at once when it is not active. */
  cancel(runId: string): Promise<void>
  /** Ends the runs in progress as failed. */
  endAll(message: string): void
  /** Records the ends that could not be recorded when they happened, and ends runs that only the table knows. */
  reconcile(): void
  /**
   * Starts no more runs, and resolves when those in progress are over. They have `waitMs` to end by themselves; after
   * that they are interrupted, with `tidyMs` to tidy up. Queued runs stay queued, for the next runtime.
   */
  stop(limits: { waitMs: number; tidyMs?: number }): Promise<void>
}

export function createRunQueue(options: {
  db: JobsDb
  volume: Folders
  room: Pick<Room, 'level' | 'words' | 'busy'>
  secrets: Pick<SecretsService, 'reveal'>
  state: Pick<StateService, 'of'>
  clock: Clock
  log: Logger
  limits: RunLimits
  env: Record<string, string>
  /** The build of the live set; null while there is none. */
  liveBuild: () => string | null
}): RunQueue {
  const { db, volume, clock, log, limits, env } = options
  const { memoryMb } = limits
  const runners = createRunners({
    volumeDir: volume.dir,
    jobsDir: volume.jobsDir,
    memoryMb,
    env,
    liveBuild: () => {
      const build = options.liveBuild()
      return build && join(volume.buildsDir, build)
    },
  })
  const runs = new ActiveRuns(limits.concurrent)
  const execution = { ...options, runners }
  let stopped = false

  const add = (rows: readonly RunRow[]) => {
    for (const row of rows) runs.add(queuedRun(row, options))
    startQueued()
  }
  const ends = createEndRecords(db, log, next => {
    if (!stopped) add([next])
  })
  const startQueued = () => {
    while (!stopped) {
      const run = runs.startNext(clock.monotonic())
      if (!run) return
      run.done = executeRun(run, execution)
        .then(ending => finish(run, ending))
        .finally(() => {
          runs.release(run)
          startQueued()
        })
    }
  }
  const finish = (run: ActiveRun, ending: RunEnding) => {
    const { id } = run.row
    runs.remove(run)
    // Before the followers of the log learn that it is over: the next thing they ask is how the run ended.
    ends.record(id, ending, clock.now())
    ends.saveLog(id, run.log)
  }
  /** Ends a run that is queued or in progress. */
  const cancelRun = async (run: ActiveRun, message: string) => {
    if (runs.dequeue(run)) finish(run, endedBefore('cancelled', message))
    else endRun(run, 'cancelled', message, limits.graceMs)
    await run.done
  }

  return {
    add,
    wake: startQueued,
    expect: runners.expect,
    begin: policy => {
      if (!stopped && runs.hasRoom()) runners.begin(memoryOf(policy, memoryMb))
    },
    isFull: () => runs.queued.length >= limits.waiting,
    isStopped: () => stopped,
    waiting: () => {
      const facts = runs.facts(clock.monotonic(), stopped)
      const inOrder = inStartOrder(runs.queued, facts.monotonic)
      return inOrder.map(run => ({ id: run.row.id, reason: waitReason(run, facts, clock.now()) }))
    },
    activeRun: jobId => {
      const now = clock.monotonic()
      let newest: RunRow | null = null
      for (const { row, startsAt } of runs.ofJob(jobId)) if (startsAt <= now) newest = row
      return newest
    },
    count: jobId => runs.ofJob(jobId).size,
    isCatchingUp: jobId =>
      runs
        .ofJob(jobId)
        .values()
        .some(({ row }) => isCaughtUp(row)),
    replace: (jobId, by) => {
      for (const run of [...runs.ofJob(jobId)]) {
        void cancelRun(run, `replaced by the run ${by.id}, which was due`)
      }
    },
    log: runId => runs.find(runId)?.log ?? ends.log(runId),
    builds: () => new Set([...runs.all()].map(run => run.row.build)),
    cancel: async runId => {
      const run = runs.find(runId)
      if (run) await cancelRun(run, 'the run was cancelled')
    },
    endAll: message => {
      for (const run of runs.all()) if (run.started) endRun(run, 'failed', message, limits.graceMs)
    },
    reconcile: () => {
      ends.retry()
      for (const { id } of activeRuns(db)) {
        if (runs.find(id) || ends.isUnrecorded(id)) continue
        ends.record(id, endedBefore('interrupted', 'the run was lost: no process executes it'), clock.now())
      }
    },
    stop: async ({ waitMs, tidyMs = limits.graceMs }) => {
      stopped = true
      await endInTime(
        [...runs.all()].filter(({ started }) => started),
        clock,
        waitMs,
        run => {
          if (runs.find(run.row.id)) endRun(run, 'interrupted', 'the instance was stopped', tidyMs)
        },
      )
      runners.stop()
      ends.retry()
    },
  }
}

/** Resolves when the runs are over; calls `interrupt` for those that are not after `waitMs`. */
async function endInTime(
  runs: readonly ActiveRun[],
  clock: Clock,
  waitMs: number,
  interrupt: (run: ActiveRun) => void,
): Promise<void> {
  const over = new AbortController()
  const ended = Promise.all(runs.map(run => run.done)).then(() => over.abort())
  await Promise.race([ended, clock.sleep(waitMs, over.signal)])
  for (const run of runs) interrupt(run)
  await ended
}

function queuedRun(
  row: RunRow,
  { volume, room, clock }: { volume: Folders; room: Pick<Room, 'level'>; clock: Clock },
): ActiveRun {
  const isFull = ['full', 'beyond'].includes(room.level())
  return {
    row,
    startsAt: clock.monotonic() + pauseBefore(row, clock.now()),
    log: createRunLog(logFile(volume.runsDir, row.id), clock, isFull ? shortLogBytes : undefined),
    process: null,
    serial: row.trigger === 'schedule' || row.attempt > 1,
    started: false,
    ending: null,
    done: Promise.resolve(),
  }
}

/** How a run ends that no process ran. */
function endedBefore(status: RunEnding['status'], message: string): RunEnding {
  return { status, result: null, error: { message, stack: null }, durationMs: null }
}
