import { relativeTime } from '../../../views/components/time-words.ts'
import { type Look, type Output, oneLine } from '../../command/output.ts'

/**
 * The colours of the words that something can be in. Each noun has its own, beside its command: `kept` is good of a backup,
 * and bad of an instance that was to be rolled back.
 */
export type Looks = Readonly<Record<string, Look>>

/** For `sayTable`: colours one column, counted from 0, by its words. */
export function columnLook(at: number, looks: Looks): (cell: string, column: number) => Look | null {
  return (cell, column) => (column === at && Object.hasOwn(looks, cell) ? (looks[cell] ?? null) : null)
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
