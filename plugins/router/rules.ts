import type { RouteRules } from './contract.ts'
import { Gate, type GateParts } from './gate/gate.ts'
import { HostNames } from './host-names.ts'

/** The rules of every subdomain, as an edge needs them. */
export class Rules {
  /** The customers' own host names. */
  readonly hosts = new HostNames()
  readonly #gates = new Map<string, Gate>()
  readonly #gateParts: GateParts

  constructor(parts: Omit<GateParts, 'used'>) {
    this.#gateParts = { site: parts.site, clock: parts.clock, used: new Map() }
  }

  /** Returns whether the gate now stops someone who has passed. */
  set(subdomain: string, rules: RouteRules): boolean {
    this.hosts.set(subdomain, rules.hosts)
    const before = this.#gates.get(subdomain)
    if (!rules.gate) {
      this.#gates.delete(subdomain)
      return false
    }
    this.#gates.set(subdomain, new Gate(rules.gate, this.#gateParts))
    return before === undefined || before.isLooserThan(rules.gate)
  }

  /** Undefined for an instance that is open to everyone. */
  gateOf(subdomain: string): Gate | undefined {
    return this.#gates.get(subdomain)
  }
}
