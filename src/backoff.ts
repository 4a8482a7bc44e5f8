/**
 * Backoff: how long to wait before the next attempt after failures. Only the arithmetic: packages such as p-retry and
 * exponential-backoff own the loop and its timer, while our attempts are rows and tasks that outlive both.
 */
export interface Backoff {
  /** The delay after the first failure. */
  firstMs: number
  /** The longest delay. */
  mostMs: number
  /** Each delay is this many times the previous one. Default 2. */
  factor?: number
}

/**
 * Returns the pause in milliseconds after `failures` failures in a row; 0 after none.
 *
 * @example
 * pauseMs(3, { firstMs: 30_000, mostMs: 600_000 }) // 120_000
 */
export function pauseMs(failures: number, { firstMs, mostMs, factor = 2 }: Backoff): number {
  if (failures <= 0 || firstMs === 0) return 0
  return Math.min(mostMs, firstMs * factor ** (failures - 1))
}

/** Returns the pause after `failures` failures in a row from a list of pauses; null when the list is used up. */
export function listedPauseMs(failures: number, pausesMs: readonly number[]): number | null {
  return failures <= 0 ? 0 : (pausesMs[failures - 1] ?? null)
}
