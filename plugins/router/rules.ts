import type { RouteRules } from './contract.ts'
import { HostNames } from './host-names.ts'

const none: RouteRules = {}

/** The rules of every subdomain, as an edge needs them. */
export class Rules {
  /** The customers' own host names. */
  readonly hosts = new HostNames()
  readonly #rules = new Map<string, RouteRules>()

  set(subdomain: string, rules: RouteRules): void {
    if (Object.keys(rules).length === 0) this.#rules.delete(subdomain)
    else this.#rules.set(subdomain, rules)
    this.hosts.set(subdomain, rules.hosts)
  }

  of(subdomain: string): RouteRules {
    return this.#rules.get(subdomain) ?? none
  }
}
