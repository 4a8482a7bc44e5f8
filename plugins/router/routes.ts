import { isDeepStrictEqual } from 'node:util'
import type { Destination, InstanceReport, RouteChange, RouteRules, RouterService } from './contract.ts'
import { HostNames } from './host-names.ts'
import { RouteTable } from './workers/route-table.ts'

/** The routes as the control plane knows them. Each change is sent to the edge, in order. */
export class Routes implements RouterService {
  readonly table = new RouteTable()
  readonly #hosts = new HostNames()
  readonly #changed: (change: RouteChange) => void
  readonly traffic: () => readonly InstanceReport[]

  constructor(parts: { changed(change: RouteChange): void; traffic(): readonly InstanceReport[] }) {
    this.#changed = parts.changed
    this.traffic = parts.traffic
  }

  set(subdomain: string, destination: Destination): void {
    this.#change({ subdomain, destination })
  }

  remove(subdomain: string): void {
    if (this.table.destinationOf(subdomain)) this.#change({ subdomain, destination: null })
  }

  subdomains(): string[] {
    return this.table.subdomains()
  }

  setRule<Name extends keyof RouteRules>(
    subdomain: string,
    rule: Name,
    value: RouteRules[Name] | null,
  ): void {
    const { [rule]: before = null, ...others } = this.table.rulesOf(subdomain)
    if (isDeepStrictEqual(before, value)) return
    const rules: RouteRules = value === null ? others : { ...others, [rule]: value }
    this.#hosts.set(subdomain, rules.hosts)
    this.#change({ subdomain, rules })
  }

  hosts(): string[] {
    return this.#hosts.names()
  }

  subdomainOf(host: string): string | null {
    return this.#hosts.subdomainOf(host) ?? null
  }

  #change(change: RouteChange): void {
    this.table.apply(change)
    this.#changed(change)
  }
}
