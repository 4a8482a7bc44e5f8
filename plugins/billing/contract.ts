export interface BillingService {
  /** False when payments are not set up: then nothing costs anything, and nothing is limited. */
  on: boolean
}

/** What Stripe calls the states of a subscription. */
export const subscriptionStatuses = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'canceled',
  'unpaid',
  'paused',
] as const
export type SubscriptionStatus = (typeof subscriptionStatuses)[number]

/** One line of a subscription. A price that is metered has no quantity at Stripe: it counts as 1. */
export interface SubscriptionItem {
  priceId: string
  quantity: number
}

/**
 * How an account stands. `free`: billing has no say in it. `exempt`: the operator asks no payment of it. `grace`: a payment
 * failed, or the exemption has ended, and it runs on. `over`: nothing pays for it any more.
 */
export type State = 'free' | 'exempt' | 'trial' | 'paid' | 'grace' | 'over'
export type OverReason = 'trial' | 'unpaid' | 'canceled' | 'exemption'

/** One step of what happens when nothing is paid. */
export interface Rung {
  at: number
  what: 'stop' | 'remove' | 'delete'
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    billing: BillingService
  }
}
