const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const names: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/**
 * Describes a cron expression, such as `At 08:00 on weekdays`. Null for one that cannot be described with certainty:
 * then the expression is shown.
 */
export function cronWords(expression: string): string | null {
  const trimmed = expression.trim().toLowerCase()
  const fields = (names[trimmed] ?? trimmed).split(/\s+/)
  if (fields.length < 5 || fields.length > 6) return null
  const [second, minute, hour, dayOfMonth, month, weekday] = (
    fields.length === 6 ? fields : ['0', ...fields]
  ) as [string, string, string, string, string, string]

  const time = timeWords(second, minute, hour)
  const day = dayWords(dayOfMonth, weekday)
  const inMonths = month === '*' ? '' : listWords(month, name => numbered(name, months, 1))
  if (time === null || day === null || inMonths === null) return null
  const often = time.startsWith('Every')
  const when = day === '' ? (often || inMonths ? '' : ' every day') : ` ${day}`
  return `${time}${when}${inMonths ? ` in ${inMonths}` : ''}`
}

function timeWords(second: string, minute: string, hour: string): string | null {
  const seconds = each(second, 'second')
  const minutes = each(minute, 'minute')
  const hours = each(hour, 'hour')
  if (seconds && minute === '*' && hour === '*') return `Every ${seconds}`
  if (!isNumber(second, 59)) return null
  const atSecond = Number(second) === 0 ? '' : `, at second ${Number(second)}`
  if (minutes && hour === '*') return `Every ${minutes}${atSecond}`
  if (minutes && isRange(hour)) return `Every ${minutes} from ${rangeWords(hour)}${atSecond}`
  if (hours && isNumber(minute, 59)) {
    return Number(minute) === 0 ? `Every ${hours}${atSecond}` : `Every ${hours} at :${two(minute)}${atSecond}`
  }
  if (!isNumber(minute, 59)) return null
  const clock = (h: string) => `${two(h)}:${two(minute)}${Number(second) === 0 ? '' : `:${two(second)}`}`
  const times = listWords(hour, h => (isNumber(h, 23) ? clock(h) : null))
  if (times) return `At ${times}`
  return isRange(hour) && Number(minute) === 0 ? `Every hour from ${rangeWords(hour)}${atSecond}` : null
}

/** `*` is `minute`, and a step that divides the hour or day evenly is `5 minutes`; others do not repeat evenly. */
function each(field: string, unit: 'second' | 'minute' | 'hour'): string | null {
  if (field === '*') return unit
  const every = /^(?:\*|0)\/(\d+)$/.exec(field)?.[1]
  if (!every || Number(every) === 0 || (unit === 'hour' ? 24 : 60) % Number(every) !== 0) return null
  return Number(every) === 1 ? unit : `${Number(every)} ${unit}s`
}

function dayWords(dayOfMonth: string, weekday: string): string | null {
  const anyDay = dayOfMonth === '*' || dayOfMonth === '?'
  const anyWeekday = weekday === '*' || weekday === '?'
  if (anyDay && anyWeekday) return ''
  if (anyDay) {
    if (weekday === '1-5' || weekday === 'mon-fri') return 'on weekdays'
    const days = listWords(weekday, name => numbered(name === '7' ? '0' : name, weekdays, 0))
    return days && `on ${days}`
  }
  if (!anyWeekday) return null
  if (dayOfMonth === 'l') return 'on the last day of the month'
  const dates = listWords(dayOfMonth, date => (isNumber(date, 31) ? String(Number(date)) : null))
  return dates && `on day ${dates} of the month`
}

/** `a`, `a and b`, `a, b and c`; null if one of them has no word. */
function listWords(field: string, word: (item: string) => string | null): string | null {
  const words = field.split(',').map(word)
  if (words.some(each => each === null)) return null
  const last = words.pop()
  return words.length === 0 ? (last ?? null) : `${words.join(', ')} and ${last}`
}

function numbered(name: string, all: readonly string[], first: number): string | null {
  const named = all.find(word => word.slice(0, 3).toLowerCase() === name)
  return named ?? (/^\d+$/.test(name) ? (all[Number(name) - first] ?? null) : null)
}

const isRange = (field: string) => /^\d{1,2}-\d{1,2}$/.test(field)
const isNumber = (field: string, most: number) => /^\d{1,2}$/.test(field) && Number(field) <= most
const two = (field: string) => field.padStart(2, '0')

function rangeWords(field: string): string {
  const [from = '', to = ''] = field.split('-')
  return `${two(from)}:00 to ${two(to)}:59`
}
