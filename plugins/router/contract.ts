/** Where requests for one subdomain go, or why they cannot be passed on. */
export type Destination =
  | { state: 'ready'; instanceId: string; host: string; port: number }
  | { state: 'starting' | 'stopped' | 'unhealthy'; instanceId: string; reason?: string }

export interface RouterService {
  /** Sends requests for a subdomain to this destination from now on, held requests included. */
  set(subdomain: string, destination: Destination): void
  /** Removes a subdomain: requests for it get a 404. */
  remove(subdomain: string): void
  /** The subdomains that have a destination. */
  subdomains(): string[]
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
