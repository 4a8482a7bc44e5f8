import type { Plan, SubscriptionStatus } from '../contract.ts'
import type { Subscription } from '../schema.ts'
import { bySize } from './purchase.ts'

/** From paid to unpaid. A status that is not listed has ended, or never began. */
const goingOn: readonly SubscriptionStatus[] = ['active', 'trialing', 'past_due', 'unpaid', 'paused']

/** A trial at Stripe counts as paid. */
const rank = (status: SubscriptionStatus) => (status === 'trialing' ? 0 : goingOn.indexOf(status))

/**
 * The subscriptions that have not ended, the one that counts first: paid before unpaid, then the larger plan, then the
 * newer one. An account should have one, but may have two: one was created at Stripe, or both were paid in the same second.
 */
export function byWeight(
  subscriptions: readonly Subscription[],
  planOf: (subscription: Subscription) => Plan | null,
): Subscription[] {
  return subscriptions
    .filter(({ status }) => goingOn.includes(status))
    .sort(
      (a, b) =>
        rank(a.status) - rank(b.status) ||
        bySize(planOf(a), planOf(b)) ||
        b.createdAt - a.createdAt ||
        a.id.localeCompare(b.id),
    )
}

/** The subscriptions that are paid as well as the one that counts. */
export const equallyPaid = (ordered: readonly Subscription[]): Subscription[] =>
  ordered.filter(({ status }) => rank(status) === rank(ordered[0]?.status ?? status))
