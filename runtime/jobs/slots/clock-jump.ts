import { lateMs } from '../follow-up.ts'

/** Both clocks at the same moment. */
export interface ClockReading {
  wall: number
  monotonic: number
}

/** How the wall clock was set between two readings. */
export interface ClockJump {
  /** How far it was set forward, if that is enough to make a slot late; 0 otherwise. */
  forwardMs: number
  /** Whether it was set back by more than a second. */
  back: boolean
}

/**
 * Compares the wall clock with the monotonic one, which cannot be set. Every wall-clock millisecond that the monotonic
 * clock did not see is a jump: the clock was set, or the machine slept.
 */
export function clockJump(before: ClockReading | null, now: ClockReading): ClockJump {
  if (before === null) return { forwardMs: 0, back: false }
  const aheadMs = now.wall - before.wall - (now.monotonic - before.monotonic)
  return { forwardMs: aheadMs > lateMs ? aheadMs : 0, back: now.wall < before.wall - 1000 }
}
