import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import type { SecretsService } from '../../secrets/contract.ts'
import type { StateService } from '../../state/contract.ts'
import type { Folders, Room } from '../../volume/contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import type { LiveSetStore } from '../live-set/live-set.ts'
import { createRunQueue, type RunLimits, type RunQueue } from '../runs/run-queue.ts'
import { activeRuns } from '../runs/run-record.ts'
import { type Heartbeat, startHeartbeat } from './heartbeat.ts'
import { endLeftovers } from './recovery.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'

/** How long before a slot a runner is made ready for it. With one beat a second, at least half a second remains. */
const runnerAheadMs = 1500

/** `waitMs` is the time for runs to end by themselves, `tidyMs` for those that are interrupted after that. */
export interface DrainLimits {
  waitMs: number
  tidyMs?: number
}

/** The heartbeat with what it drives: the scheduler decides due slots, and the queue executes runs. */
export interface Schedule {
  queue: RunQueue
  scheduler: Scheduler
  /** Continues where the runtime before stopped. Without `alone`, only `tick` drives the schedule. */
  start(options: { alone: boolean }): void
  isRunning(): boolean
  /** Decides every slot that is due at `now`. */
  tick(now: number): void
  /** Throws in words when due slots are not decided. */
  check(): void
  drain(limits: DrainLimits): Promise<void>
}

export function openSchedule(options: {
  db: JobsDb
  folders: Folders
  room: Room
  live: LiveSetStore
  secrets: SecretsService
  state: StateService
  clock: Clock
  log: Logger
  limits: RunLimits
  env: Record<string, string>
}): Schedule {
  const { db, folders, live, clock, log } = options
  const queue = createRunQueue({
    ...options,
    volume: folders,
    liveBuild: () => live.current()?.build ?? null,
  })
  const scheduler = createScheduler({ db, live, queue, clock, log })
  let heartbeat: Heartbeat | null = null
  return {
    queue,
    scheduler,
    start: ({ alone }) => {
      endLeftovers(db, clock.now(), log)
      // The queued runs, attempts that are not due yet among them: all others were ended just now.
      queue.add(activeRuns(db))
      scheduler.refresh(clock.now())
      heartbeat = startHeartbeat(
        now => {
          queue.wake()
          scheduler.tick(now)
          if ((scheduler.earliest() ?? Number.POSITIVE_INFINITY) - now <= runnerAheadMs) queue.expect()
        },
        { clock, log, alone },
      )
    },
    isRunning: () => heartbeat !== null,
    tick: now => heartbeat?.beat(now),
    check: () => {
      heartbeat?.check()
      scheduler.check()
    },
    drain: async limits => {
      heartbeat?.stop()
      await queue.stop(limits)
    },
  }
}
