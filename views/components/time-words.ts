const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** How long something is kept, as the end of a sentence: `for 30 days`; null means `until you want it back`. */
export function keptWords(ms: number | null): string {
  if (ms === null) return 'until you want it back'
  const days = Math.round(ms / day)
  return days === 1 ? 'for one day' : `for ${days} days`
}

/** The distance of `at` from `now`: `in 5 min`, `2 h ago`, `just now`. Both in milliseconds. */
export function relativeTime(at: number, now: number): string {
  const distance = Math.abs(at - now)
  if (distance < 2 * second) return at > now ? 'in a moment' : 'just now'
  const words = distanceWords(distance)
  return at > now ? `in ${words}` : `${words} ago`
}

function distanceWords(ms: number): string {
  if (ms < 90 * second) return `${Math.round(ms / second)} s`
  if (ms < 90 * minute) return `${Math.round(ms / minute)} min`
  if (ms < 36 * hour) return `${Math.round(ms / hour)} h`
  return `${Math.round(ms / day)} days`
}

/** A duration with the unit that fits: `840 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`. */
export function durationWords(ms: number): string {
  if (ms < second) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / second).toFixed(1)} s`
  if (ms < 59.5 * second) return `${Math.round(ms / second)} s`
  const totalSeconds = Math.round(ms / second)
  if (ms < hour) return pair(Math.floor(totalSeconds / 60), 'min', totalSeconds % 60, 's')
  const totalMinutes = Math.round(ms / minute)
  return pair(Math.floor(totalMinutes / 60), 'h', totalMinutes % 60, 'min')
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** The wall-clock time in a zone, with the zone's name: `Sun 22 Nov 2026, 08:00:00 UTC`. */
export function dateTime(at: number, zone = 'UTC'): string {
  return `${format(zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }, at)}, ${clockTime(at, zone, true)} ${zoneName(at, zone)}`
}

/** Only as much of the date as is needed beside `now`: `08:00`, `Mon 08:00`, `3 Dec 08:00`. */
export function shortDateTime(at: number, now: number, zone = 'UTC', seconds = false): string {
  const sameDay = format(zone, { dateStyle: 'short' }, at) === format(zone, { dateStyle: 'short' }, now)
  if (sameDay) return clockTime(at, zone, seconds)
  const date =
    Math.abs(at - now) < 6 * day
      ? format(zone, { weekday: 'short' }, at)
      : format(zone, { day: 'numeric', month: 'short' }, at)
  return `${date} ${clockTime(at, zone, seconds)}`
}

export function clockTime(at: number, zone = 'UTC', seconds = false): string {
  return format(
    zone,
    {
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      ...(seconds ? ({ second: '2-digit' } as const) : {}),
    },
    at,
  )
}

/** The zone's short name at that time, such as `UTC` or `CET`. */
export function zoneName(at: number, zone: string): string {
  const british = namedBy('en-GB', at, zone)
  // Each locale knows the short names of its own region, and offsets for the rest.
  return british.includes('+') || british.includes('-') ? namedBy('en-US', at, zone) : british
}

function namedBy(locale: string, at: number, zone: string): string {
  const parts = formatter(zone, { timeZoneName: 'short' }, locale).formatToParts(at)
  return parts.find(part => part.type === 'timeZoneName')?.value ?? zone
}

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Creating a formatter takes longer than a page, so each is cached. There are few zones: those of the jobs. */
function formatter(zone: string, options: Intl.DateTimeFormatOptions, locale = 'en-GB'): Intl.DateTimeFormat {
  const key = `${locale} ${zone} ${JSON.stringify(options)}`
  const known = formatters.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
  formatters.set(key, made)
  return made
}

function format(zone: string, options: Intl.DateTimeFormatOptions, at: number): string {
  return formatter(zone, options).format(at).replace(/,/g, '')
}
