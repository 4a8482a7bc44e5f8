import type { OverReason, Rung, State, SubscriptionStatus } from '../contract.ts'

/** What an assessment needs to know about one account. Times are milliseconds since the epoch. */
export interface Facts {
  /** When the account's one trial ends or ended; null when it never had one. */
  trialEndsAt: number | null
  /** `statusSince`: when it was first seen in its status. `cancelAt`: when it ends although it is paid. */
  subscriptions: readonly { status: SubscriptionStatus; statusSince: number; cancelAt?: number | null }[]
  /** The exemption from payment, active or ended; undefined when there never was one. */
  exemption?: 'active' | { endedAt: number } | undefined
  /** The state at the last assessment, and since when; null before the first. */
  before: { state: State; since: number } | null
}

export interface Terms {
  /** How long an instance keeps running after a payment failed. */
  graceMs: number
  /** How long it stays stopped before it is removed. The volume is kept. */
  removalMs: number
  /** How long the volume is kept after the removal; null for ever. */
  keptMs: number | null
}

/** States from which an account never goes back to `free`. */
const onceSubscribed: readonly State[] = ['paid', 'grace', 'over']

export interface Standing {
  state: State
  /** When the state was first seen. */
  since: number
  /** What enforcement does with its instances; `none` leaves them alone. */
  instances: 'run' | 'stop' | 'remove' | 'none'
  /** Why the account is over, or why its grace period began if not for a failed payment; else null. */
  reason: OverReason | null
  /** What happens if the owner does nothing, in order. Past steps are left out. */
  ladder: readonly Rung[]
}

/**
 * The one rule of billing: a pure function of Stripe's subscriptions, the trial, the exemption and the clock. The first that
 * applies decides:
 *
 * 1. An active exemption: `exempt`.
 * 2. A subscription that is active or in Stripe's own trial: `paid`. If it is cancelled, the ladder says when it ends.
 * 3. A subscription whose payment failed: `grace` for the grace period, then `over`.
 * 4. A subscription that is unpaid, paused or cancelled: `over`. Subscribing ends the trial for good.
 * 5. A trial: `trial` until it ends, then `over`.
 * 6. A first payment that never arrived, an exemption that has ended, or any earlier subscription: `over`.
 * 7. None of these: `free`.
 *
 * An account that is `over` after an exemption gets a grace period first. Periods start when the change was first seen, so an
 * owner always has the whole period, even after the control plane was off.
 */
export function assess(facts: Facts, terms: Terms, now: number): Standing {
  const { trialEndsAt, subscriptions } = facts
  const has = (...statuses: SubscriptionStatus[]) =>
    subscriptions.some(each => statuses.includes(each.status))
  const sinceOf = (state: State) => (facts.before?.state === state ? facts.before.since : now)

  if (facts.exemption === 'active') {
    return { state: 'exempt', since: sinceOf('exempt'), instances: 'run', reason: null, ladder: [] }
  }
  if (subscriptions.some(pays)) {
    const endsAt = Math.max(...subscriptions.filter(pays).map(({ cancelAt }) => cancelAt ?? Infinity))
    const ladder = now < endsAt && endsAt < Infinity ? rungs(endsAt, terms) : []
    return { state: 'paid', since: sinceOf('paid'), instances: 'run', reason: null, ladder }
  }
  if (has('past_due')) {
    const failed = subscriptions.filter(each => each.status === 'past_due')
    const since = Math.min(...failed.map(each => each.statusSince))
    const stopAt = since + terms.graceMs
    if (now < stopAt) {
      return { state: 'grace', since, instances: 'run', reason: null, ladder: rungs(stopAt, terms) }
    }
    return over('unpaid')
  }
  // A subscription ends the trial for good.
  if (has('unpaid', 'paused')) return over('unpaid')
  if (has('canceled')) return over('canceled')
  if (trialEndsAt !== null && now < trialEndsAt) {
    const ladder = rungs(trialEndsAt, terms)
    return { state: 'trial', since: sinceOf('trial'), instances: 'run', reason: null, ladder }
  }
  if (trialEndsAt !== null) return over('trial')
  if (has('incomplete_expired')) return over('unpaid')
  if (facts.exemption) return over('exemption')
  // A customer that was deleted at Stripe has no subscriptions left, so the state before tells who once paid.
  if (facts.before !== null && onceSubscribed.includes(facts.before.state)) return over('canceled')
  return { state: 'free', since: sinceOf('free'), instances: 'none', reason: null, ladder: [] }

  function over(reason: OverReason): Standing {
    // After an exemption, the account has a grace period to choose a plan.
    if (facts.exemption && facts.exemption !== 'active') {
      const { endedAt } = facts.exemption
      const stopAt = endedAt + terms.graceMs
      if (now < stopAt) {
        const ladder = rungs(stopAt, terms)
        return { state: 'grace', since: endedAt, instances: 'run', reason: 'exemption', ladder }
      }
    }
    const since = sinceOf('over')
    const ladder = rungs(since, terms).filter(rung => rung.what !== 'stop')
    const removeAt = since + terms.removalMs
    if (now < removeAt) return { state: 'over', since, instances: 'stop', reason, ladder }
    // From here on, the instance's own record says when its data is deleted.
    return { state: 'over', since, instances: 'remove', reason, ladder: [] }
  }
}

const pays = ({ status }: { status: SubscriptionStatus }) => status === 'trialing' || status === 'active'

function rungs(stopAt: number, { removalMs, keptMs }: Terms): Rung[] {
  const removeAt = stopAt + removalMs
  return [
    { at: stopAt, what: 'stop' },
    { at: removeAt, what: 'remove' },
    ...(keptMs === null ? [] : [{ at: removeAt + keptMs, what: 'delete' as const }]),
  ]
}
