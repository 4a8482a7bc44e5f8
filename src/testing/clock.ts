import { type Clock, systemClock } from '../clock.ts'

export interface ManualClock extends Clock {
  /** Moves time on, and wakes whoever sleeps until then. */
  advance(ms: number): void
}

/** A clock that stands until a test moves it. */
export function manualClock(start: number = Date.UTC(2026, 0, 1, 12)): ManualClock {
  let now = start
  const sleepers = new Set<{ until: number; wake(): void }>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const sleeper = {
          until: now + ms,
          wake: () => {
            sleepers.delete(sleeper)
            signal?.removeEventListener('abort', sleeper.wake)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', sleeper.wake, { once: true })
      }),
    advance: ms => {
      now += ms
      for (const sleeper of [...sleepers]) if (sleeper.until <= now) sleeper.wake()
    },
  }
}

/** The system's clock, which a test can set: waiting takes as long as it takes. */
export function setClock(start: number = Date.now()): ManualClock {
  let offset = start - Date.now()
  return {
    now: () => Date.now() + offset,
    sleep: systemClock.sleep,
    advance: ms => {
      offset += ms
    },
  }
}
