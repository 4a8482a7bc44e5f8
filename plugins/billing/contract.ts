export interface BillingService {
  /** False when payments are not set up. Then everything is free and unlimited. */
  on: boolean
}

/** The states of a subscription, in Stripe's words. */
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

/** One item of a subscription. A metered price has no quantity at Stripe and counts as 1. */
export interface SubscriptionItem {
  priceId: string
  quantity: number
}

/**
 * The billing state of an account. `free`: billing does not apply to it. `exempt`: the operator has exempted it from payment.
 * `grace`: a payment failed or the exemption has ended, and its instances keep running. `over`: nothing pays for it.
 */
export type State = 'free' | 'exempt' | 'trial' | 'paid' | 'grace' | 'over'
/** Why an account is `over`, or about to be. */
export type OverReason = 'trial' | 'unpaid' | 'canceled' | 'exemption'

/** One step of what happens when nothing is paid, and when (ms since the epoch). */
export interface Rung {
  at: number
  what: 'stop' | 'remove' | 'delete'
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    billing: BillingService
  }
}
