import type { LimitsOfPlan } from '../provisioner/contract.ts'
import type { RouteLimits } from '../router/contract.ts'

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
export const states = ['free', 'exempt', 'trial', 'paid', 'grace', 'over'] as const
export type State = (typeof states)[number]

export const overReasons = ['trial', 'unpaid', 'canceled', 'exemption'] as const
/** Why an account is `over`, or about to be. */
export type OverReason = (typeof overReasons)[number]

export const rungKinds = ['stop', 'remove', 'delete'] as const

/** One step of what happens when nothing is paid, and when (ms since the epoch). */
export interface Rung {
  at: number
  what: (typeof rungKinds)[number]
}

/** A plan that owners can choose, as in the settings. */
export interface Plan {
  id: string
  name: string
  /** The price in words. The amount itself is set at Stripe. */
  cost: string
  /** The id of the price at Stripe. */
  price: string
  /** How many instances an account on this plan may have. */
  instances: number
  /** How many domains each instance may have; null for what every instance may. */
  domains: number | null
  /** The limits of each instance; null for the default limits. */
  limits: LimitsOfPlan | null
  /** The limits of the requests to each instance; null for those of every instance. */
  traffic: RouteLimits | null
}

/** The busiest minute of an instance in the last day. */
export interface RequestUse {
  subdomain: string
  /** When it began. */
  at: number
  /** Requests, on average over the minute. */
  perSecond: number
  /** How many of them a limit refused. */
  refused: number
}

export const eventStatuses = ['queued', 'working', 'done', 'ignored', 'failed'] as const
/** How far the processing of a Stripe event has come. */
export type EventStatus = (typeof eventStatuses)[number]

export const attentionKinds = [
  'two-subscriptions',
  'paid-when-closed',
  'dispute-to-answer',
  'dispute-waits',
  'dispute-lost',
  'collection-paused',
] as const

/** A matter that only the operator can resolve, at Stripe. */
export interface Attention {
  /** Stable for as long as it is the same matter. */
  id: string
  kind: (typeof attentionKinds)[number]
  accountId: string
  email: string | null
  /** What is wrong, and what to do, in words. */
  what: string
  todo: string
  /** The deadline; null when there is none. */
  until: number | null
  /** The page at Stripe where it is resolved. */
  url: string
}

/** An account in the operator's list. */
export interface ListedAccount {
  accountId: string
  /** Null after the owner's personal data was erased. */
  email: string | null
  /** The account's instances whose data may still exist. */
  subdomains: readonly string[]
  state: State
  since: number
  next: Rung | null
  /** When it was last read from Stripe. */
  readAt: number | null
  /** Why the last reading from Stripe failed. */
  error: string | null
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    billing: BillingService
  }
}
