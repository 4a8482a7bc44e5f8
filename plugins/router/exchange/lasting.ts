/** A connection or an answer that does not end by itself: a tunnel, a stream of events. */
export interface Lasting {
  /** Ends it properly, and lets the peers know why. It is destroyed when they do not end in time. */
  close(reason: string): void
  destroy(): void
}

/** How long the peers of a connection that is closed may take to end it. */
export const closingMs = 2000
