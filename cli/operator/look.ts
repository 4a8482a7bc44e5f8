import { relativeTime } from '../../views/components/time-words.ts'
import { type Look, type Output, oneLine } from '../command/output.ts'

/** How a status is coloured, beside its word. */
export function lookOfStatus(status: string): Look | null {
  if (['running', 'succeeded', 'done', 'kept', 'sent'].includes(status)) return 'green'
  if (['failed', 'unhealthy', 'alert', 'refused'].includes(status)) return 'red'
  if (['provisioning', 'stopping', 'deprovisioning', 'pending', 'waiting', 'notice'].includes(status))
    return 'yellow'
  return null
}

/** A time of the API, relative to `now` in milliseconds; `never` for null. */
export function ago(time: string | null, now: number): string {
  return time === null ? 'never' : relativeTime(Date.parse(time), now)
}

/** Names with their values, one a line; those without a value are left out. */
export function sayFields(output: Output, fields: readonly (readonly [string, string | null])[]): void {
  const shown = fields.filter(([, value]) => value !== null)
  const width = Math.max(...shown.map(([name]) => name.length))
  for (const [name, value] of shown) {
    output.say(`${output.look('dim', name.padEnd(width))}  ${oneLine(value ?? '')}`)
  }
}
