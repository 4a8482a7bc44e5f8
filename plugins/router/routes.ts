import { isDeepStrictEqual } from 'node:util'
import type { Destination, InstanceReport, RouteChange, RouteRules, RouterService } from './contract.ts'
import { HostNames } from './host-names.ts'

/** The routes as the control plane knows them. Each change is sent to the edge, in order. */
export class Routes implements RouterService {
  readonly #destinations = new Map<string, Destination>()
  readonly #rules = new Map<string, RouteRules>()
  readonly #hosts = new HostNames()
  readonly #changed: (change: RouteChange) => void
  readonly traffic: () => readonly InstanceReport[]

  constructor(parts: { changed(change: RouteChange): void; traffic(): readonly InstanceReport[] }) {
    this.#changed = parts.changed
    this.traffic = parts.traffic
  }

  set(subdomain: string, destination: Destination): void {
    this.#destinations.set(subdomain, destination)
    this.#changed({ subdomain, destination })
  }

  remove(subdomain: string): void {
    if (this.#destinations.delete(subdomain)) this.#changed({ subdomain, destination: null })
  }

  subdomains(): string[] {
    return [...this.#destinations.keys()]
  }

  /** The changes that make these routes of none. */
  changes(): RouteChange[] {
    return [
      ...[...this.#rules].map(([subdomain, rules]) => ({ subdomain, rules })),
      ...[...this.#destinations].map(([subdomain, destination]) => ({ subdomain, destination })),
    ]
  }

  setRule<Name extends keyof RouteRules>(
    subdomain: string,
    rule: Name,
    value: RouteRules[Name] | null,
  ): void {
    const { [rule]: before = null, ...others } = this.#rules.get(subdomain) ?? {}
    if (isDeepStrictEqual(before, value)) return
    const rules: RouteRules = value === null ? others : { ...others, [rule]: value }
    if (Object.keys(rules).length === 0) this.#rules.delete(subdomain)
    else this.#rules.set(subdomain, rules)
    this.#hosts.set(subdomain, rules.hosts)
    this.#changed({ subdomain, rules })
  }

  hosts(): string[] {
    return this.#hosts.names()
  }

  subdomainOf(host: string): string | null {
    return this.#hosts.subdomainOf(host) ?? null
  }
}
