import { type Clock, systemClock } from '../clock.ts'

export interface ManualClock extends Clock {
  /** Lets time pass, and wakes what sleeps until then. */
  advance(ms: number): void
  /** Sets the wall clock by so much, forwards or back, while no time passes: as an operator or NTP does. */
  step(ms: number): void
}

/** A clock that stands until a test moves it. */
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

/** The system's clock, which a test can set: sleeping takes as long as it takes. */
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
