/** Where the requests for one subdomain go, or why they cannot. */
export type Destination =
  | { state: 'ready'; instanceId: string; host: string; port: number }
  | { state: 'starting' | 'stopped' | 'unhealthy'; instanceId: string; reason?: string }

export interface RouterService {
  /** Sends requests for a subdomain here from now on; requests that are being held for it go on at once. */
  set(subdomain: string, destination: Destination): void
  /** Forgets a subdomain: requests for it get a 404. */
  remove(subdomain: string): void
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    router: RouterService
  }
  interface Events {
    /** An instance did not answer as itself: its address must be looked up again. */
    'instance-misrouted': { instanceId: string; subdomain: string; reason: string }
  }
}
