import { cronNames, patternOf } from './cron-pattern.ts'

/**
 * Returns what is wrong with a cron expression and what to write instead; null for a valid one. Croner gives some
 * expressions a meaning that their authors do not intend: syntax of other schedulers is refused, never guessed.
 */
export function cronFault(cron: string): string | null {
  const text = cron.trim()
  if (text.startsWith('@')) return nameFault(text)
  const zoned = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/i.exec(text)
  if (zoned) {
    const [, zone = '', rest = ''] = zoned
    return `"${text}" names its zone in front; write cron: '${rest || '0 8 * * *'}' and timezone: '${zone || 'Europe/Berlin'}'`
  }
  const parts = text === '' ? [] : text.split(/\s+/)
  if (
    parts.some(
      (part, at) => (at > 0 && part.startsWith(',')) || (part.endsWith(',') && at < parts.length - 1),
    )
  ) {
    return `"${text}" has a space in a list; write it without, such as 1,15`
  }
  const stray = strayFault(text, parts) ?? yearFault(text, parts)
  if (stray) return stray
  if (parts.length < 5 || parts.length > 6 || text.includes(':')) {
    return `"${text}" has ${parts.length} ${parts.length === 1 ? 'field' : 'fields'}; ${shape}`
  }
  const words = fieldsOf(parts).map(({ field, text }) => fieldFault(field, text))
  const wrong = words.find(each => each !== null)
  if (wrong) return `"${text}" is not a schedule: ${wrong}`
  try {
    // Every existing date occurs within one cycle of the calendar, whatever the starting year.
    if (patternOf(cron).nextWall(0) === null) return `"${text}" has no due time: there is no such date`
    return null
  } catch (error) {
    return `"${text}" is not a schedule: ${(error as Error).message.replace(/^CronPattern: /, '')}`
  }
}

const shape =
  'a cron expression has five fields (minute hour day month weekday), or six with seconds in front'

function nameFault(text: string): string | null {
  if (cronNames[text.toLowerCase()]) return null
  const words = `"${text}" is not a known name; use one of ${Object.keys(cronNames).join(', ')}`
  const every = /^@every\s+(\d+)\s*(s|m|h)[a-z]*$/i.exec(text)
  if (every) {
    const instead = everyInstead(Number(every[1]), every[2]?.toLowerCase() ?? '')
    return instead ? `${words}; for this one, write ${instead}` : `${words}, or a step such as */5 * * * *`
  }
  return text.toLowerCase() === '@reboot' ? `${words}; the start of an instance is no due time` : words
}

/** The expression for an interval that divides the next larger unit. */
function everyInstead(count: number, unit: string): string | null {
  const step = count === 1 ? '*' : `*/${count}`
  if (unit === 's') return count > 0 && 60 % count === 0 && count < 60 ? `${step} * * * * *` : null
  if (unit === 'm') return count > 0 && 60 % count === 0 && count < 60 ? `${step} * * * *` : null
  return count > 0 && 24 % count === 0 && count < 24 ? `0 ${step} * * *` : null
}

/** Text around a schedule in other systems: AWS' `cron(…)` and `rate(…)`, a comment, the command of a crontab. */
function strayFault(text: string, parts: readonly string[]): string | null {
  const wrapped = /^cron\((.*)\)$/i.exec(text)?.[1]
  if (wrapped !== undefined)
    return cronFault(wrapped) ?? `"${text}" is wrapped as AWS writes it; write ${wrapped.trim()}`
  const rate = /^rate\(\s*(\d+)\s+(minute|hour)s?\s*\)$/i.exec(text)
  if (rate) {
    const instead = everyInstead(Number(rate[1]), rate[2]?.[0]?.toLowerCase() ?? '')
    return `"${text}" is how AWS writes an interval; ${instead ? `write ${instead}` : 'write a step such as */5 * * * *'}`
  }
  const comment = parts.findIndex((part, at) => at > 0 && part.startsWith('#'))
  if (comment > 0) {
    const before = parts.slice(0, comment).join(' ')
    return cronFault(before) ?? `"${text}" has a comment behind the schedule; write ${before}`
  }
  const schedule = parts.slice(0, 5).join(' ')
  if (parts.length > 5 && /^(\/|[a-z_][\w-]*$)/i.test(parts[5] ?? '') && cronFault(schedule) === null) {
    const isWeekday = weekdays.some(name => (parts[5] ?? '').toUpperCase().startsWith(name))
    if (!isWeekday || parts.length > 6)
      return `"${text}" is a line of a crontab, with a user or a command behind the schedule; write ${schedule}`
  }
  return null
}

/** Six fields as in AWS, or seven as in Quartz: the last one is a year. */
function yearFault(text: string, parts: readonly string[]): string | null {
  const last = parts.at(-1) ?? ''
  const isYear = /^(19|20)\d\d/.test(last)
  const five = parts.length === 6 && (isYear || parts[2] === '?' || parts[4] === '?')
  if (!five && parts.length !== 7) return null
  const theirs = parts.includes('?')
  const instead = fieldsOf(parts.slice(0, -1))
    .map(({ field, text }) => {
      if (text === '?' && field.any) return '*'
      const [first = '', step, ...more] = text.split('/')
      const single = step !== undefined && more.length === 0 && /^\d+$/.test(first)
      const part = single ? stepFrom(field, first, step) : text
      return theirs && field.name === 'weekday' ? quartzWeekday(part) : part
    })
    .join(' ')
  const fits = cronFault(instead) === null ? `write ${instead}` : shape
  const whose = five ? 'as AWS writes it' : 'as Quartz writes it'
  return `"${text}" has a year as its last field, ${whose}; here no year can be given: ${fits}`
}

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

/** Quartz and AWS count weekdays from 1 for Sunday. */
function quartzWeekday(text: string): string {
  return text.replace(/(?<![#/\d])[1-7](?!\d)/g, digit => weekdays[Number(digit) - 1] ?? digit)
}

interface FieldKind {
  name: string
  least: number
  most: number
  /** Names of its values, starting with that of `least`. */
  names: readonly string[]
  /** What a part may be besides numbers, names, ranges and steps. */
  also: RegExp | null
  /** Whether `?` is allowed, meaning any value. */
  any: boolean
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const plain = { names: [], also: null, any: false }
const kinds: readonly FieldKind[] = [
  { name: 'second', least: 0, most: 59, ...plain },
  { name: 'minute', least: 0, most: 59, ...plain },
  { name: 'hour', least: 0, most: 23, ...plain },
  { name: 'day', least: 1, most: 31, names: [], also: /^(L|LW|\d{1,2}W)$/i, any: true },
  { name: 'month', least: 1, most: 12, names: months, also: null, any: false },
  {
    name: 'weekday',
    least: 0,
    most: 7,
    names: weekdays,
    also: /^([0-7]|[A-Z]{3})(L|#[1-5L])$/i,
    any: true,
  },
]

function fieldsOf(parts: readonly string[]): { field: FieldKind; text: string }[] {
  const offset = kinds.length - parts.length
  return parts.flatMap((text, index) => {
    const field = kinds[index + offset]
    return field ? [{ field, text }] : []
  })
}

function fieldFault(field: FieldKind, text: string): string | null {
  if (text === '?' && field.any) return null
  // Croner's own syntax: both the weekday and the day must match.
  const list = field.name === 'weekday' ? text.replace(/^\+/, '') : text
  for (const part of list.split(',')) {
    const fault = partFault(field, part)
    if (fault) return fault
  }
  return null
}

function partFault(field: FieldKind, part: string): string | null {
  const { name, least, most } = field
  const here = `the ${name} "${part}"`
  if (part === '') return `the ${name} has an empty part in its list; write it such as ${least},${most}`
  if (part.includes('?')) {
    return `${here} has a ?, which can only stand alone for the day or the weekday; write * for any ${name}`
  }
  if (part === '*' || field.also?.test(part)) return null
  const [range = '', step, ...more] = part.split('/')
  if (more.length > 0) return `${here} has two steps; write one, such as */5`
  if (step !== undefined && !isStep(step, field)) {
    return `${here} has no step from 1 to ${most - least + 1} behind the /; write it such as */2`
  }
  if (range === '*') return null
  if (/^H(\(.*\))?$/i.test(range)) {
    return `${here} is Jenkins' way to pick one; write a number from ${least} to ${most}`
  }
  if (field.name === 'day' && /^L-\d+$/i.test(range)) return lastDaysFault(part)
  const ends = range.split('-')
  const values = ends.map(end => numberOf(end, field))
  const wrong = values.indexOf(null)
  if (wrong >= 0) return valueFault(field, part, ends[wrong] ?? '')
  const [first = 0, last] = values as number[]
  if (ends.length > 2) return `${here} is no range; write it such as ${least}-${most}`
  if (last === undefined) {
    if (step === undefined) return null
    return `${here} has a step and no range; write ${stepFrom(field, ends[0] ?? '', step)}`
  }
  // A range may end with Sunday as 7.
  const end = name === 'weekday' && /^SUN$/i.test(ends[1] ?? '') ? 7 : last
  if (first <= end) return null
  return `${here} runs backwards; write ${ends[0]}-${lastOf(field, ends[0])},${firstOf(field, ends[1])}-${ends[1]}`
}

/** The first and the last value of a field, as a name if the other end is one. */
function firstOf({ least, names }: FieldKind, other = ''): string {
  return (/^\d/.test(other) ? undefined : names[0]) ?? String(least)
}
function lastOf({ name, most, names }: FieldKind, other = ''): string {
  return (/^\d/.test(other) ? undefined : names.at(-1)) ?? String(name === 'weekday' ? 6 : most)
}

/** The meaning of `5/15` in other schedulers. */
function stepFrom(field: FieldKind, first: string, step: string): string {
  if (Number(first) === field.least) return step === '1' ? '*' : `*/${step}`
  return `${first}-${lastOf(field, first)}/${step}`
}

function isStep(text: string, { least, most }: FieldKind): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= most - least + 1
}

function lastDaysFault(part: string): string {
  const before = Number(part.slice(2))
  const [first, last] = [Math.max(1, 28 - before), Math.max(1, 31 - before)]
  return `the day "${part}" counts from the end of the month, which cannot be written here; write L for the last day, or ${first}-${last} and let the job return on the other days`
}

/** Null if it is neither a number of the field nor a name. */
function numberOf(text: string, { least, most, names }: FieldKind): number | null {
  if (/^\d+$/.test(text)) return Number(text) >= least && Number(text) <= most ? Number(text) : null
  const index = names.indexOf(text.toUpperCase())
  return index < 0 ? null : index + least
}

function valueFault(field: FieldKind, part: string, text: string): string {
  const { name, least, most, names } = field
  const here = `the ${name} "${part}"`
  if (/^\d+$/.test(text)) return `Invalid value for ${name}: ${text}; it must be from ${least} to ${most}`
  if (text.includes('*')) {
    const number = part.replaceAll('*', '').replace(/^-|-$/, '')
    return `${here} mixes * with a number; write ${number === '' ? '*' : number}, or a step such as */5`
  }
  const short = names.find(each => text.length > 3 && text.toUpperCase().startsWith(each))
  if (short) return `${here} has a name in full; write ${short}`
  const named = names.length > 0 ? `, or ${names[0]} to ${names.at(-1)}` : ''
  const days = name === 'day' ? ', or L for the last' : ''
  return `"${part}" is no ${name}; write a number from ${least} to ${most}${named}${days}`
}
