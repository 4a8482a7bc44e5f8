import { SimpleIntervalJob, Task, ToadScheduler } from 'toad-scheduler'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'

export interface Heartbeat {
  /** Beats now. Throws what the work throws. */
  beat(now: number): void
  /** Throws in words when no beat has succeeded for too long. */
  check(): void
  stop(): void
}

const longestSilenceMs = 15_000
const everyMs = 1000

/**
 * Beats once a second, soon after a second of the wall clock begins. Every slot lies on a whole second, so one beat
 * serves all jobs, and a slow run shifts none. Each wait is at most a second on the monotonic clock, whatever the wall
 * clock is set to meanwhile. Without `alone`, only the caller beats.
 *
 * Only a beat whose work succeeded counts as a sign of life.
 */
export function startHeartbeat(
  onBeat: (now: number) => void,
  { clock, log, alone }: { clock: Clock; log: Logger; alone: boolean },
): Heartbeat {
  let lastGood = clock.monotonic()
  let failure: string | null = null

  const beat = (now: number) => {
    try {
      onBeat(now)
    } catch (error) {
      const message = (error as Error).message
      // A lasting failure comes every second, and is logged once.
      if (failure !== message) log.error({ err: error }, 'tick failed')
      failure = message
      throw error
    }
    if (failure !== null) log.info({ failure }, 'ticks work again')
    lastGood = clock.monotonic()
    failure = null
  }

  const pace = { milliseconds: everyMs }
  const task = new Task(
    'tick',
    () => {
      try {
        beat(clock.now())
      } finally {
        pace.milliseconds = everyMs - (clock.now() % everyMs)
        job.start()
      }
    },
    () => {
      // The beat has logged it.
    },
  )
  const job = new SimpleIntervalJob(pace, task)
  const scheduler = alone ? new ToadScheduler() : null
  scheduler?.addSimpleIntervalJob(job)

  return {
    beat,
    check: () => {
      const silenceMs = clock.monotonic() - lastGood
      if (silenceMs <= longestSilenceMs || (scheduler === null && failure === null)) return
      const since = `for ${Math.round(silenceMs / 1000)} seconds`
      throw new Error(
        failure === null
          ? `The schedule has not been checked ${since}`
          : `Due times could not be decided ${since}: ${failure}`,
      )
    },
    stop: () => scheduler?.stop(),
  }
}
