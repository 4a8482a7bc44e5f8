/** An instance that should answer, and where. */
export interface WatchedInstance {
  id: string
  subdomain: string
  host: string
  port: number
}

/** What one look at an instance showed. */
export type HealthObservation = { healthy: true; at: number } | { healthy: false; at: number; reason: string }

/** An instance as other plugins see it. */
export interface InstanceSummary {
  id: string
  subdomain: string
  ownerEmail: string
  desired: 'running' | 'stopped' | 'deleted'
  status: string
  /** The volume's folder on the host. */
  volume: string
  createdAt: number
  /** When the container went and the volume began to be kept. */
  deletedAt: number | null
}

export interface ProvisionerService {
  /** Every instance whose volume may still exist, by name. */
  instances(): InstanceSummary[]
  /**
   * Sets what an instance should be; the reconciler brings it about. Never deletes a volume. Throws the Problems of the
   * API: `unknown-instance`, `not-possible-now`.
   */
  setDesired(subdomain: string, desired: 'running' | 'stopped' | 'deleted'): void
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
