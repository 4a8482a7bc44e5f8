const minute = 60_000

/** How long to wait after each attempt at somebody else's server that failed; after the last one it is given up. */
export const retryPausesMs = [
  minute / 2,
  2 * minute,
  10 * minute,
  30 * minute,
  60 * minute,
  3 * 60 * minute,
  6 * 60 * minute,
] as const
