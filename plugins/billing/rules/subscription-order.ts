import type { SubscriptionStatus } from '../contract.ts'
import type { Subscription } from '../schema.ts'
import type { Plan } from '../settings.ts'
import { bySize } from './purchase.ts'

/** From what is paid to what is not; what is not here has ended, or never began. */
const goingOn: readonly SubscriptionStatus[] = ['active', 'trialing', 'past_due', 'unpaid', 'paused']

/** A trial at Stripe gives what is paid gives. */
const rank = (status: SubscriptionStatus) => (status === 'trialing' ? 0 : goingOn.indexOf(status))

/**
 * Those that go on, the one that counts first: what is paid before what is not, then the larger plan, then the newer one.
 * Two at once should not be, but may: one was made at Stripe, or both were paid in the same second.
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

/** Those that are paid as well as the one that counts. */
export const equallyPaid = (ordered: readonly Subscription[]): Subscription[] =>
  ordered.filter(({ status }) => rank(status) === rank(ordered[0]?.status ?? status))
