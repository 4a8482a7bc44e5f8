const minute = 60_000

/** How long to wait after each attempt at somebody else's server that failed; after the last one it is given up. */
const pausesMs = [
  minute / 2,
  2 * minute,
  10 * minute,
  30 * minute,
  60 * minute,
  3 * 60 * minute,
  6 * 60 * minute,
] as const

/**
 * What a row of a queue becomes after its attempt number `attempts` failed: it waits for the next one, or is given up.
 * An error that says that it is `permanent` is not tried again.
 */
export function afterFailure(error: unknown, attempts: number, now: number) {
  const pauseMs = pausesMs[attempts - 1]
  const { message, permanent } = error as { message?: unknown; permanent?: unknown }
  const words = { error: String(message ?? error).slice(0, 500) }
  return permanent === true || pauseMs === undefined
    ? { ...words, status: 'failed' as const, finishedAt: now }
    : { ...words, status: 'queued' as const, nextAt: now + pauseMs }
}
