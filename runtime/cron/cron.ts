import { timezoneFault } from '../../src/timezone.ts'
import { cronFault } from './cron-fault.ts'
import { type Pattern, patternOf } from './cron-pattern.ts'
import { localTime, type Stretch, stretchAt } from './zone.ts'

/**
 * The one authority for schedules: what is shown and what runs both come from `nextSlot`.
 *
 * If both day and weekday are restricted, either may match; if one begins with `*`, as in `*\/2`, both must match.
 * That is Debian cron's rule too.
 *
 * Croner matches the expression against wall-clock times as if they were UTC; the zone's clock changes are handled
 * here, by Debian cron's rules. A fixed-time schedule (no `*` in seconds, minutes and hours) whose time falls into a
 * skipped hour has its slot right after the gap, and one in a repeated hour has one slot, the first time. A wildcard
 * schedule follows real time. A change of more than three hours is a correction of the clock, not a daylight-saving
 * change: skipped slots are dropped.
 */
export interface Schedule {
  /** Five fields, six with seconds first, or a name such as `@hourly`. */
  cron: string
  /** A name from the IANA database. */
  timezone: string
}

export interface ScheduledSlot {
  at: number
  /** The effect of a clock change; null without one. */
  note: string | null
}

/** Returns the faults of a schedule, one message per field; empty for a valid one. */
export function scheduleFaults(schedule: Schedule): { field: 'cron' | 'timezone'; message: string }[] {
  const faults: { field: 'cron' | 'timezone'; message: string }[] = []
  const fault = cronFault(schedule.cron)
  if (fault) faults.push({ field: 'cron', message: fault })
  const zoneFault = timezoneFault(schedule.timezone)
  if (zoneFault) faults.push({ field: 'timezone', message: zoneFault })
  return faults
}

/** Returns the first slot after the instant; null if there is none. Throws for an invalid schedule. */
export function nextSlot(schedule: Schedule, after: number): ScheduledSlot | null {
  const pattern = patternOf(schedule.cron)
  let stretch = stretchAt(schedule.timezone, after)
  let from = after
  // A schedule matches at least once in eight years (29 February around 2100); zones change at most a few times a year.
  for (let changes = 0; changes < 64; changes++) {
    const slot = slotWithin(pattern, schedule.timezone, stretch, from)
    if (slot !== 'later') return slot
    if (stretch.end === Number.POSITIVE_INFINITY) return null
    from = stretch.end - 1
    stretch = stretchAt(schedule.timezone, stretch.end)
  }
  return null
}

/** Returns the next slots after the instant, with local time and notes. */
export function previewSlots(
  schedule: Schedule,
  after: number,
  count: number,
): { at: number; local: string; note: string | null }[] {
  const slots = []
  for (
    let slot = nextSlot(schedule, after);
    slot && slots.length < count;
    slot = nextSlot(schedule, slot.at)
  ) {
    slots.push({ at: slot.at, local: localTime(schedule.timezone, slot.at), note: slot.note })
  }
  return slots
}

const largestDaylightChangeMs = 3 * 3_600_000

/** Returns the first slot after the instant within the stretch; null if there is none in it or ever after. */
function slotWithin(
  pattern: Pattern,
  timezone: string,
  stretch: Stretch,
  after: number,
): ScheduledSlot | 'later' | null {
  const before = Number.isFinite(stretch.start) ? stretchAt(timezone, stretch.start - 1) : stretch
  const changeMs = stretch.offsetMs - before.offsetMs
  const followsClock = pattern.fixedTime && Math.abs(changeMs) <= largestDaylightChangeMs
  let from = after
  if (followsClock && changeMs > 0 && after < stretch.start) {
    // The wall clock jumped over [start + old offset, start + new offset).
    const skipped = pattern.nextWall(stretch.start + before.offsetMs - 1)
    if (skipped !== null && skipped < stretch.start + stretch.offsetMs) {
      return { at: stretch.start, note: `moved: ${clockText(skipped)} is skipped by a clock change` }
    }
  }
  if (followsClock && changeMs < 0) from = Math.max(from, stretch.start - changeMs - 1)
  const wall = pattern.nextWall(Math.max(from, stretch.start - 1) + stretch.offsetMs)
  if (wall === null) return null
  if (wall - stretch.offsetMs >= stretch.end) return 'later'
  return { at: wall - stretch.offsetMs, note: repeatedNote(pattern, timezone, stretch, wall) }
}

/** Returns a note if the wall clock shows this time twice. */
function repeatedNote(pattern: Pattern, timezone: string, stretch: Stretch, wall: number): string | null {
  if (!Number.isFinite(stretch.end)) return firstOrSecond(pattern, timezone, stretch, wall)
  const next = stretchAt(timezone, stretch.end)
  const repeats = wall >= stretch.end + next.offsetMs && wall - stretch.offsetMs < stretch.end
  if (!repeats) return firstOrSecond(pattern, timezone, stretch, wall)
  return pattern.fixedTime && stretch.offsetMs - next.offsetMs <= largestDaylightChangeMs
    ? `merged: ${clockText(wall)} comes twice because of a clock change; it runs the first time`
    : `${clockText(wall)} comes twice because of a clock change; this is the first`
}

function firstOrSecond(pattern: Pattern, timezone: string, stretch: Stretch, wall: number): string | null {
  if (pattern.fixedTime || !Number.isFinite(stretch.start)) return null
  const before = stretchAt(timezone, stretch.start - 1)
  return wall < stretch.start + before.offsetMs
    ? `${clockText(wall)} comes twice because of a clock change; this is the second`
    : null
}

function clockText(wall: number): string {
  const text = new Date(wall).toISOString()
  return text.slice(17, 19) === '00' ? text.slice(11, 16) : text.slice(11, 19)
}
