import type { IncomingMessage } from 'node:http'
import { askJson, askText, open } from '../../command/api.ts'
import type { Option } from '../../command/arguments.ts'
import type { Call } from '../../command/call.ts'
import type { Place } from '../../command/place.ts'
import { type Operation, operations } from './operations.ts'
import { whichControl } from './which-control.ts'

type Values = Readonly<Record<string, string | number | boolean | undefined>>

export interface Asked {
  /** The values of the path's parameters. */
  path?: Values
  query?: Values
  body?: unknown
  headers?: Readonly<Record<string, string>>
}

/** The control plane that a command is about. */
export interface Control {
  place: Place
  /** Throws a CommandError with the words of the control plane when it refuses. */
  ask<T>(operation: Operation, asked?: Asked): Promise<T>
  text(operation: Operation, asked?: Asked): Promise<string>
  /** An answer whose body is read as it comes. */
  open(operation: Operation, asked?: Asked): Promise<IncomingMessage>
}

export function controlOf({ signal }: Pick<Call, 'signal'>): Control {
  const place = whichControl()
  const parts = (operation: Operation, { path, query, body, headers }: Asked = {}) => {
    const [method = '', template = ''] = operations[operation].split(' ')
    const question = { signal, method, ...(body !== undefined && { body }), ...(headers && { headers }) }
    return [addressOf(template, path, query), question] as const
  }
  return {
    place,
    ask: (operation, asked) => askJson(place, ...parts(operation, asked)),
    text: (operation, asked) => askText(place, ...parts(operation, asked)),
    open: (operation, asked) => open(place, ...parts(operation, asked)),
  }
}

function addressOf(template: string, path: Values = {}, query: Values = {}): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])))
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return search === '' ? filled : `${filled}?${search}`
}

export const jsonOption: Readonly<Record<'json', Option>> = {
  json: { words: 'prints the answer of the API as JSON' },
}
