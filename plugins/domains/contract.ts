export const domainStates = ['waiting', 'active', 'losing', 'lost'] as const
/**
 * `waiting`: claimed, and not proven yet. `active`: proven; requests reach the instance. `losing`: the proof is gone; requests
 * still reach the instance. `lost`: it was gone for too long, and requests no longer do.
 */
export type DomainState = (typeof domainStates)[number]

/** A customer's own host name for an instance. */
export interface Domain {
  id: string
  instanceId: string
  /** In lower case, and in ASCII form: `xn--mnchen-3ya.example`. */
  name: string
  /** The value of the TXT record at `_longhouse.<name>` that proves it. */
  proof: string
  state: DomainState
  /** When the state began. */
  since: number
  /** The operator answers for it: it needs no proof. */
  vouched: boolean
  createdAt: number
  /** When it was last looked for, and what was found, in words; null before the first time. */
  checkedAt: number | null
  finding: string | null
  nextCheckAt: number
}

export interface DomainsService {
  /** Whether a host name leads to something here, so that a certificate for it makes sense. `host` is in lower case. */
  serves(host: string): boolean
  /** The domains that lead to instances, by name. */
  active(): string[]
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    domains: DomainsService
  }
  interface Events {
    /** The domains that lead to an instance are other ones than before. */
    'domains-changed': { subdomain: string }
  }
}
