/** The outcome of one check of the control plane; `reason` is in words for the operator. */
export interface CheckResult {
  status: 'ok' | 'failing'
  reason?: string
  /** Whether the plugin of the check lists the reason as a concern. */
  isListed?: boolean
}

export interface HealthService {
  /** Runs every check of the control plane, by name. */
  checkAll(): Promise<ReadonlyMap<string, CheckResult>>
  /** Looks at every watched instance once, all at the same time. */
  pollOnce(): Promise<void>
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    health: HealthService
  }
}
