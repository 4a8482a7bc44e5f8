import { UsageError } from './command/arguments.ts'

/**
 * Parses the instant of `--at`, in milliseconds: a time on the zone's wall clock, or with its own offset. A time
 * skipped by the zone's clock is the one after the gap; a repeated one is the first.
 */
export function readInstant(text: string, timezone: string): number {
  const iso = text.trim().replace(/^(\d{4}-\d\d-\d\d) (?=\d)/, '$1T')
  try {
    if (/T.*(Z|[+-]\d\d(:?\d\d)?)$/i.test(iso)) return Temporal.Instant.from(iso).epochMilliseconds
    if (/^\d{4}-\d\d-\d\d/.test(iso)) {
      return Temporal.PlainDateTime.from(iso).toZonedDateTime(timezone).epochMilliseconds
    }
  } catch {
    // It only resembled one.
  }
  throw new UsageError(
    `--at: "${text}" is not a time; use 2026-03-29, 2026-03-29T08:00 (in the job's zone) or 2026-03-29T06:00:00Z`,
  )
}
