export interface HealthService {
  /** Looks at every watched instance once, all at the same time. */
  pollOnce(): Promise<void>
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    health: HealthService
  }
}
