/** A period in which a zone's clocks have one offset from UTC. Instants in milliseconds since the epoch. */
export interface Stretch {
  start: number
  /** The first instant after it. */
  end: number
  offsetMs: number
}

const always = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, offsetMs: 0 }
const known = new Map<string, Stretch[]>()

/** Returns the stretch of the zone that contains the instant. */
export function stretchAt(timezone: string, at: number): Stretch {
  if (timezone === 'UTC') return always
  const stretches = known.get(timezone) ?? []
  const cached = stretches.find(stretch => at >= stretch.start && at < stretch.end)
  if (cached) return cached
  const zoned = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone)
  const next = zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY
  // A transition search may return the instant itself or an earlier one; only a later one ends the stretch.
  const here = zoned.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds
  const stretch = {
    start: here ?? Number.NEGATIVE_INFINITY,
    end: next,
    offsetMs: zoned.offsetNanoseconds / 1e6,
  }
  // A few stretches serve every schedule; a long preview walks through more of them only once.
  known.set(timezone, [stretch, ...stretches].slice(0, 4))
  if (known.size > 500) known.delete(known.keys().next().value as string)
  return stretch
}

/** The wall-clock time in the zone with its offset, such as `2026-03-29T03:00:00+02:00`. */
export function localTime(timezone: string, at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timezone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' })
}
