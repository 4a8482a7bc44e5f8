import { DateTime, Duration, Interval } from 'luxon'

/** Zones with daylight saving, and words in other languages. */
export async function run() {
  const start = DateTime.fromISO('2026-03-28T08:00', { zone: 'Europe/Berlin' })
  const next = start.plus({ days: 1 })
  return {
    next: next.toISO(),
    hours: next.diff(start, 'hours').hours,
    tokyo: start.setZone('Asia/Tokyo').toFormat('yyyy-LL-dd HH:mm ZZZZ'),
    german: start.setLocale('de').toLocaleString(DateTime.DATE_HUGE),
    weeks: Interval.fromDateTimes(start, start.plus({ months: 1 })).splitBy({ weeks: 1 }).length,
    duration: Duration.fromObject({ minutes: 90 }).shiftTo('hours', 'minutes').toHuman(),
  }
}
