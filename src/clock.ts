/** Time as a parameter: programs pass the system's clock, tests pass one that they control. */
export interface Clock {
  /** Milliseconds since the epoch: for slots and for people. The machine's clock may be set forwards or back. */
  now(): number
  /**
   * Milliseconds since some moment, on a clock that cannot be set: for every wait within the life of a process.
   * Readings compare only with each other, and mean nothing to another process.
   */
  monotonic(): number
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** RFC 3339 in UTC with milliseconds, the one form in which times leave a program. */
export function timestamp(ms: number): string
export function timestamp(ms: number | null | undefined): string | null
export function timestamp(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(ms).toISOString()
}
