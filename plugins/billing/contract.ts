export interface BillingService {
  /** False when payments are not set up: then nothing costs anything, and nothing is limited. */
  on: boolean
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    billing: BillingService
  }
}
