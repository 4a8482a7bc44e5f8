import { UsageError } from './arguments.ts'

/**
 * The instant that `--at` means, in milliseconds: a time on the wall clock of the zone, or with an offset of its own.
 * A time that the zone's clock skips is the one after the gap; one that it shows twice is the first.
 */
export function readInstant(text: string, timezone: string): number {
  const iso = text.trim().replace(/^(\d{4}-\d\d-\d\d) (?=\d)/, '$1T')
  try {
    if (/T.*(Z|[+-]\d\d(:?\d\d)?)$/i.test(iso)) return Temporal.Instant.from(iso).epochMilliseconds
    if (/^\d{4}-\d\d-\d\d/.test(iso)) {
      return Temporal.PlainDateTime.from(iso).toZonedDateTime(timezone).epochMilliseconds
    }
  } catch {
    // It only looked like one.
  }
  throw new UsageError(
    `--at: "${text}" is not a time; use 2026-03-29, 2026-03-29T08:00 (in the job's zone) or 2026-03-29T06:00:00Z`,
  )
}
