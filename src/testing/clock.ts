import { type Clock, systemClock } from '../clock.ts'

export interface ManualClock extends Clock {
  /** Advances time, and wakes sleepers whose time has come. */
  advance(ms: number): void
  /** Sets the wall clock forwards or back without passing time, as an operator or NTP does. */
  step(ms: number): void
}

/** A clock that stands still until a test moves it. */
export function manualClock(start: number = Date.UTC(2026, 0, 1, 12)): ManualClock {
  let passed = 0
  let wall = start
  const sleepers = new Set<{ until: number; wake(): void }>()
  return {
    now: () => wall,
    monotonic: () => passed,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const sleeper = {
          until: passed + ms,
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
      passed += ms
      wall += ms
      for (const sleeper of [...sleepers]) if (sleeper.until <= passed) sleeper.wake()
    },
    step: ms => {
      wall += ms
    },
  }
}

/** The system's clock, which a test can set: sleeping takes real time. */
export function setClock(start: number = Date.now()): ManualClock {
  let offset = start - Date.now()
  let passed = 0
  return {
    now: () => Date.now() + offset,
    monotonic: () => performance.now() + passed,
    sleep: systemClock.sleep,
    advance: ms => {
      offset += ms
      passed += ms
    },
    step: ms => {
      offset += ms
    },
  }
}
