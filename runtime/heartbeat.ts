import { CronJob, Task, ToadScheduler } from 'toad-scheduler'
import type { Clock } from '../src/clock.ts'
import type { Logger } from '../src/log.ts'

export interface Heartbeat {
  /** Beats now. */
  beat(now: number): void
  /** Throws in words when it has not beaten for long, if it is to beat by itself. */
  check(): void
  stop(): void
}

const longestSilenceMs = 15_000

/**
 * Every slot lies on a whole second, so that one beat a second serves every job; a slow run shifts none. When not
 * `alone`, whoever asks for beats gives it its pace.
 */
export function startHeartbeat(
  onBeat: (now: number) => void,
  { clock, log, alone }: { clock: Clock; log: Logger; alone: boolean },
): Heartbeat {
  let last = clock.now()
  const beat = (now: number) => {
    last = now
    onBeat(now)
  }
  const scheduler = alone ? new ToadScheduler() : null
  const task = new Task(
    'tick',
    () => beat(clock.now()),
    error => log.error({ err: error }, 'tick failed'),
  )
  scheduler?.addCronJob(new CronJob({ cronExpression: '* * * * * *' }, task))
  return {
    beat,
    check: () => {
      const silence = Math.abs(clock.now() - last)
      if (scheduler === null || silence <= longestSilenceMs) return
      throw new Error(`the schedule has not been looked at for ${Math.round(silence / 1000)} seconds`)
    },
    stop: () => scheduler?.stop(),
  }
}
