const longestTimerMs = 2 ** 31 - 1

export interface Pace {
  /** How long a client may let the answer wait, at any speed. */
  graceMs: number
  /** How fast it must read beyond that. */
  bytesPerSecond: number
}

/**
 * Passes an answer on, and calls `cut` when its client reads too slowly. Only the time counts in which data waited for the
 * client: git may think as long as it needs.
 */
export async function* paced(
  output: AsyncIterable<Uint8Array>,
  { graceMs, bytesPerSecond }: Pace,
  cut: (why: string) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0
  let waitedMs = 0
  for await (const piece of output) {
    const leftMs = graceMs + (sent / bytesPerSecond) * 1000 - waitedMs
    const timer = setTimeout(
      () => cut('the client reads too slowly'),
      Math.min(Math.max(0, leftMs), longestTimerMs),
    )
    const began = performance.now()
    try {
      yield piece
    } finally {
      clearTimeout(timer)
    }
    waitedMs += performance.now() - began
    sent += piece.byteLength
  }
}
