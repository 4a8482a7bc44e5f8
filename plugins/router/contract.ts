/** Where requests for one subdomain go, or why they cannot be passed on. */
export type Destination =
  | { state: 'ready'; instanceId: string; host: string; port: number }
  | { state: 'starting' | 'stopped' | 'unhealthy'; instanceId: string; reason?: string }

/**
 * What holds for one subdomain wherever it leads. Each rule is set by one plugin, and is plain data: the edge may run in
 * other processes.
 */
export interface RouteRules {
  /** Other host names that lead to the instance: in lower case, without a port. */
  hosts?: readonly string[]
  /** What its plan allows beyond or below the limits of all instances. */
  limits?: RouteLimits
  /** Who may pass; without a gate, everyone. */
  gate?: RouteGate
}

/** What is absent is limited as for all instances. */
export interface RouteLimits {
  /** Requests in progress at a time. */
  requests?: number
  /** Requests a second, on average. */
  requestsPerSecond?: number
  /** The longest request body. */
  bodyBytes?: number
}

export interface RouteGate {
  /** Path prefixes that everyone may request. */
  publicPaths: readonly string[]
  /** The owners whose sign-in passes, by account id. */
  accounts: readonly string[]
}

/** What changed of one subdomain's route. Without a destination, the subdomain is unknown. */
export type RouteChange =
  | { subdomain: string; destination: Destination | null }
  | { subdomain: string; rules: RouteRules }

export interface RouterService {
  /** Sends requests for a subdomain to this destination from now on, held requests included. */
  set(subdomain: string, destination: Destination): void
  /** Removes a subdomain: requests for it get a 404. Its rules stay for the next destination. */
  remove(subdomain: string): void
  /** The subdomains that have a destination. */
  subdomains(): string[]
  /** Sets one rule of a subdomain, or removes it. It may be set before there is a destination. */
  setRule<Name extends keyof RouteRules>(subdomain: string, rule: Name, value: RouteRules[Name] | null): void
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    router: RouterService
  }
  interface Events {
    /** An instance did not identify itself: its address must be looked up again. */
    'instance-misrouted': { instanceId: string; subdomain: string; reason: string }
  }
}
