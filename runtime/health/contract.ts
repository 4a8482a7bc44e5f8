export interface HealthReport {
  status: 'ok' | 'starting' | 'stopping' | 'failing'
  instance_id: string
  version: string
  /** By check: `ok`, `failing` or, where the caller may know, what is wrong; `manifest` is the status of the manifest. */
  checks: Record<string, string>
  /** How many runs are in progress, and how many wait; only for those who may know. */
  runs?: { running: number; queued: number }
}

/** Whether the instance can do its work. */
export interface Health {
  /** What anyone may know; with `fromHost`, what the control plane may. */
  report(fromHost: boolean): Promise<HealthReport>
  /** Resolves once the instance no longer starts, whether its checks fail or not. */
  started(): Promise<void>
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    health: Health
  }
}
