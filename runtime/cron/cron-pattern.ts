import { Cron } from 'croner'

/** A cron expression on a wall clock without a zone: its times are instants as if they were UTC. */
export interface Pattern {
  /** True if seconds, minutes and hours contain no `*`. */
  fixedTime: boolean
  /** True for a wildcard schedule that is due several times an hour. */
  several: boolean
  /** The first due time after this one; null if there is no other. */
  nextWall(after: number): number | null
}

export const cronNames: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

/** In croner a range that ends with SUN extends to the end of the week, so this would be every day. */
const onlySunday = /(^|,)(?:0|7|sun)-sun(?:\/\d+)?(?=,|$)/gi

/**
 * Croner parses each field; days and times of day are combined here. A whole expression takes croner 0.2 ms and 80
 * kB, because it lists every year to 9999, while ten thousand jobs share a few days and few fields. Throws croner's
 * error for an invalid expression.
 */
export function patternOf(cron: string): Pattern {
  const fields = (cronNames[cron.trim().toLowerCase()] ?? cron).trim().split(/\s+/)
  const [weekdays = '', month = '', day = ''] = [fields.pop(), fields.pop(), fields.pop()]
  fields.push(any(day), month, any(weekdays).replace(onlySunday, '$10'))
  const [second, minute, hour, ...date] = fields.length === 5 ? ['0', ...fields] : fields
  const fixedTime = !fields.slice(0, fields.length - 3).some(field => /^[*?]/.test(field))
  try {
    const days = daysOf(date.join(' '))
    const time = {
      hours: valuesOf('hour', hour),
      minutes: valuesOf('minute', minute),
      seconds: valuesOf('second', second),
    }
    const several = !fixedTime && time.minutes.length * time.seconds.length > 1
    return { fixedTime, several, nextWall: after => nextWall(days, time, after) }
  } catch (error) {
    // This error names the place in the whole expression.
    parse(fields.join(' '))
    throw error
  }
}

/** Quartz and AWS write `?` for any day. */
function any(field: string): string {
  return field === '?' ? '*' : field
}

interface TimeOfDay {
  hours: readonly number[]
  minutes: readonly number[]
  seconds: readonly number[]
}

const daySeconds = 86_400

function nextWall(days: Days, time: TimeOfDay, after: number): number | null {
  const from = Math.floor(after / 1000) + 1
  const today = Math.floor(from / daySeconds)
  const day = days(today)
  if (day === null) return null
  const second = timeFrom(time, day === today ? from - today * daySeconds : 0)
  if (second !== null) return (day * daySeconds + second) * 1000
  const later = days(day + 1)
  return later === null ? null : (later * daySeconds + (timeFrom(time, 0) as number)) * 1000
}

/** The first due second of a day from this one on; null if the day has none left. */
function timeFrom({ hours, minutes, seconds }: TimeOfDay, from: number): number | null {
  const at = { hour: Math.floor(from / 3600), minute: Math.floor(from / 60) % 60, second: from % 60 }
  for (const hour of hours) {
    if (hour < at.hour) continue
    for (const minute of minutes) {
      if (hour === at.hour && minute < at.minute) continue
      const same = hour === at.hour && minute === at.minute
      const second = same ? seconds.find(each => each >= at.second) : seconds[0]
      if (second !== undefined) return hour * 3600 + minute * 60 + second
    }
  }
  return null
}

/** Returns the first matching day from this one on, both in days since the epoch. */
type Days = (from: number) => number | null

/** How many of croner's expressions to cache, and how many answers of each. */
const kept = { dates: 64, answers: 64, fields: 512 }

const dates = new Map<string, Days>()

function daysOf(date: string): Days {
  return remembered(dates, date, kept.dates, () => {
    const [day = '', , weekday = ''] = date.split(' ')
    // Debian cron's rule: with a restricted day and weekday either may match, but a field that begins with a star
    // does not count as restricted.
    const cron = parse(`0 0 0 ${date}`, day.startsWith('*') || weekday.startsWith('*'))
    const answers = new Map<number, number | null>()
    return from => remembered(answers, from, kept.answers, () => dayFrom(cron, from))
  })
}

function dayFrom(cron: Cron, from: number): number | null {
  const before = new Date(from * daySeconds * 1000 - 1)
  const dayOf = (found: Date | null) => found && Math.floor(found.getTime() / 1000 / daySeconds)
  const found = dayOf(cron.nextRun(before))
  // For a 30th or 31st, croner takes the 2nd or 3rd of March when it starts in February, and skips the days before.
  const march = Date.UTC(before.getUTCFullYear(), 2, 1)
  if (before.getUTCMonth() !== 1 || found === null || found * daySeconds * 1000 < march) return found
  return dayOf(cron.nextRun(new Date(march - 1)))
}

const places = {
  second: { count: 60, place: 0 },
  minute: { count: 60, place: 1 },
  hour: { count: 24, place: 2 },
}
const fieldValues = new Map<string, readonly number[]>()

/** The values of a time-of-day field in order, as croner has them. */
function valuesOf(unit: keyof typeof places, field = ''): readonly number[] {
  return remembered(fieldValues, `${unit} ${field}`, kept.fields, () => {
    const { count, place } = places[unit]
    // Most fields are one number or a star, and croner takes a tenth of a millisecond for each.
    if (/^\d{1,2}$/.test(field) && Number(field) < count) return [Number(field)]
    if (field === '*') return Array.from({ length: count }, (_, value) => value)
    const fields = ['0', '0', '0', '*', '*', '*']
    fields[place] = field
    const cron = parse(fields.join(' '))
    const unitMs = 1000 * 60 ** place
    const values: number[] = []
    for (let at = cron.nextRun(new Date(-1)); at; at = cron.nextRun(at)) {
      if (at.getTime() >= count * unitMs) break
      values.push(at.getTime() / unitMs)
    }
    return values
  })
}

function parse(expression: string, domAndDow = false): Cron {
  return new Cron(expression, { utcOffset: 0, mode: '5-or-6-parts', domAndDow })
}

/** Returns a cached value, or computes and caches it; a full cache drops its oldest entry. */
function remembered<Key, Value>(cache: Map<Key, Value>, key: Key, most: number, make: () => Value): Value {
  const cached = cache.get(key)
  if (cached !== undefined) return cached
  const made = make()
  cache.set(key, made)
  if (cache.size > most) cache.delete(cache.keys().next().value as Key)
  return made
}
