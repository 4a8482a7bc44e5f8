/** Where requests for one subdomain go, or why they cannot be passed on. */
export type Destination =
  | { state: 'ready'; instanceId: string; host: string; port: number }
  | { state: 'starting' | 'stopped' | 'suspended' | 'unhealthy'; instanceId: string; reason?: string }

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
  /** Paths that everyone may request, with all below them: `/badges`. */
  publicPaths: readonly string[]
  /** The sign-ins at the control plane that pass, by the id of their session. */
  sessions: readonly string[]
  /** Another one ends every pass that was given before. */
  generation: number
  /** What verifies the tickets of this instance: the public half of a key of Ed25519, in base64url. */
  verifies: string
}

/** Where a browser returns from the control plane with a ticket, on every host of an instance with a gate. */
export const gateTicketPath = '/.longhouse/gate'
/** How long a ticket is good for: long enough for a redirect. */
export const gateTicketMs = 60_000
/** In place of a session's id: the sign-in of an operator. */
export const operatorSession = 'operator'

/** What changed of one subdomain's route. Without a destination, the subdomain is unknown. */
export type RouteChange =
  | { subdomain: string; destination: Destination | null }
  | { subdomain: string; rules: RouteRules }

/** Upper bounds of the counts of `InstanceReport.latency`, in milliseconds; one more count is for what is beyond. */
export const latencyBoundsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000,
] as const

/** Upper bounds of the counts of `EdgeReport.added`, in milliseconds; one more count is for what is beyond. */
export const addedBoundsMs = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 500] as const

export interface LatencyCounts {
  counts: readonly number[]
  sumMs: number
}

/** What an edge counted since its last report. It is plain data, and the reports of several edges add up. */
export interface EdgeReport {
  /** Requests that no instance saw, by reason: a few fixed words. */
  refused: Readonly<Record<string, number>>
  /** Requests that the edge answered itself, by the code of the problem. */
  problems: Readonly<Record<string, number>>
  /** Lines of the access log that a slow disk or reader has cost. */
  logDropped: number
  /** How long requests waited here, from when they could be passed on until they were. */
  added: LatencyCounts
  /** Requests that wait for their instance to start, or for the control plane, now. */
  held: number
  /** An instance that is not among them had no request since the last report, and has none in progress. */
  instances: readonly InstanceReport[]
}

/** Requests that were admitted to one instance and are over, answered by it or for it. */
export interface InstanceReport {
  instanceId: string
  subdomain: string
  /** Answers by class of status: 1xx, 2xx, 3xx, 4xx, 5xx. */
  answers: readonly number[]
  /** Requests whose answer did not arrive whole, on either side's account. */
  broken: number
  /** Requests that a limit kept from the instance. */
  refused: number
  /** How many of the answers with 1xx began a tunnel. */
  upgraded: number
  /** Bytes of bodies and tunnels: from clients, and to clients. */
  bytesIn: number
  bytesOut: number
  /** From the request's head to the answer's head: how long a download takes says nothing about the instance. */
  latency: LatencyCounts
  /** Requests and tunnels in progress now. */
  inProgress: number
}

export interface RouterService {
  /** Sends requests for a subdomain to this destination from now on, held requests included. */
  set(subdomain: string, destination: Destination): void
  /** Removes a subdomain: requests for it get a 404. Its rules stay for the next destination. */
  remove(subdomain: string): void
  /** The customers' own host names that lead to instances. */
  hosts(): string[]
  /** The subdomains that have a destination. */
  subdomains(): string[]
  /** Sets one rule of a subdomain, or removes it. It may be set before there is a destination. */
  setRule<Name extends keyof RouteRules>(subdomain: string, rule: Name, value: RouteRules[Name] | null): void
  /** What edges counted of each instance since the control plane started. Quick enough to be asked every second. */
  traffic(): readonly InstanceReport[]
  /** The subdomain whose rule `hosts` names this host, in lower case and without a port; null when none does. */
  subdomainOf(host: string): string | null
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
