import { createHash } from 'node:crypto'
import type { Destination, RouteChange, RouteRules } from '../contract.ts'
import type { StateMessage } from './messages.ts'

/** How many changes one message of a whole state holds. */
const changesPerMessage = 200

/** The routes as one process knows them. */
export class RouteTable {
  readonly #destinations = new Map<string, Destination>()
  readonly #rules = new Map<string, RouteRules>()

  apply(change: RouteChange): void {
    const { subdomain } = change
    if ('rules' in change) {
      if (Object.keys(change.rules).length === 0) this.#rules.delete(subdomain)
      else this.#rules.set(subdomain, change.rules)
    } else if (change.destination) this.#destinations.set(subdomain, change.destination)
    else this.#destinations.delete(subdomain)
  }

  destinationOf(subdomain: string): Destination | undefined {
    return this.#destinations.get(subdomain)
  }

  rulesOf(subdomain: string): RouteRules {
    return this.#rules.get(subdomain) ?? {}
  }

  /** Those that have a destination. */
  subdomains(): string[] {
    return [...this.#destinations.keys()]
  }

  /** The changes that make these routes of none: rules come first, so that no request passes without them. */
  changes(): RouteChange[] {
    return [
      ...[...this.#rules].map(([subdomain, rules]) => ({ subdomain, rules })),
      ...[...this.#destinations].map(([subdomain, destination]) => ({ subdomain, destination })),
    ]
  }

  /** The changes that make the other routes of these. Rules come first here, too. */
  changesTo(other: RouteTable): RouteChange[] {
    const rules = union(this.#rules, other.#rules)
      .filter(each => !same(this.#rules.get(each), other.#rules.get(each)))
      .map(subdomain => ({ subdomain, rules: other.#rules.get(subdomain) ?? {} }))
    const destinations = union(this.#destinations, other.#destinations)
      .filter(each => !same(this.#destinations.get(each), other.#destinations.get(each)))
      .map(subdomain => ({ subdomain, destination: other.#destinations.get(subdomain) ?? null }))
    return [...rules, ...destinations]
  }

  /** The same for equal routes, in whatever order they were set. */
  fingerprint(): string {
    const hash = createHash('sha256')
    for (const map of [this.#rules, this.#destinations]) {
      const entries = [...map].sort(([one], [other]) => (one < other ? -1 : 1))
      for (const entry of entries) hash.update(text(entry))
      hash.update('\n')
    }
    return hash.digest('base64url')
  }
}

/** Changes as the messages of a whole state. */
export function* stateMessages(changes: readonly RouteChange[], seq: number): Generator<StateMessage> {
  yield { type: 'begin' }
  for (let i = 0; i < changes.length; i += changesPerMessage) {
    yield { type: 'routes', changes: changes.slice(i, i + changesPerMessage) }
  }
  yield { type: 'complete', seq }
}

/** Collects the messages of a state; returns the table when it is whole. */
export class StateReader {
  #table: RouteTable | null = null

  take(message: StateMessage): RouteTable | null {
    if (message.type === 'begin') this.#table = new RouteTable()
    if (message.type === 'routes') for (const change of message.changes) this.#table?.apply(change)
    if (message.type !== 'complete') return null
    const table = this.#table
    this.#table = null
    return table
  }
}

function union(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])]
}

function same(one: unknown, other: unknown): boolean {
  return text(one) === text(other)
}

/** As JSON with the fields in order, without those that are undefined. */
function text(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  )
}
