/** An instance that should answer, and where. */
export interface WatchedInstance {
  id: string
  subdomain: string
  host: string
  port: number
}

/** What one look at an instance showed. */
export type HealthObservation = { healthy: true; at: number } | { healthy: false; at: number; reason: string }

export interface ProvisionerService {
  /** Every instance that is meant to run and has an address. */
  watched(): WatchedInstance[]
  /** One of them; null when it is not meant to run, or has no address. */
  watchedOne(instanceId: string): WatchedInstance | null
  /** Takes what was seen of one instance; it decides what that means for the instance's status. */
  recordHealth(instanceId: string, observation: HealthObservation): void
}

declare module '../../src/plugin.ts' {
  interface Services {
    provisioner: ProvisionerService
  }
  interface Events {
    /** A container was started and waits to be seen healthy. */
    'instance-started': { instanceId: string }
    /** An instance moved from one status to another. */
    'instance-status-changed': { instanceId: string; subdomain: string; from: string; to: string }
  }
}
