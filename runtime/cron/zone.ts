/** A stretch of time in which a zone's clocks run at one offset from UTC. Instants in milliseconds since the epoch. */
export interface Stretch {
  start: number
  /** The first instant that no longer belongs to it. */
  end: number
  offsetMs: number
}

const always = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, offsetMs: 0 }
const known = new Map<string, Stretch[]>()

/** The stretch of the zone that holds the instant. */
export function stretchAt(timezone: string, at: number): Stretch {
  if (timezone === 'UTC') return always
  const stretches = known.get(timezone) ?? []
  const cached = stretches.find(stretch => at >= stretch.start && at < stretch.end)
  if (cached) return cached
  const zoned = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone)
  const next = zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY
  // What a transition search answers may lie before or at the instant itself; only what is later ends the stretch.
  const here = zoned.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds
  const stretch = {
    start: here ?? Number.NEGATIVE_INFINITY,
    end: next,
    offsetMs: zoned.offsetNanoseconds / 1e6,
  }
  // A few stretches serve every schedule; more of them are only walked through once, by a long preview.
  known.set(timezone, [stretch, ...stretches].slice(0, 4))
  if (known.size > 500) known.delete(known.keys().next().value as string)
  return stretch
}

/** The wall-clock time in the zone with its offset, e.g. `2026-03-29T03:00:00+02:00`. */
export function localTime(timezone: string, at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(timezone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' })
}
