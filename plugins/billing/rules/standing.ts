import type { OverReason, Rung, State, SubscriptionStatus } from '../contract.ts'

/** What is known of one account. Times are milliseconds since the epoch. */
export interface Facts {
  /** When the account's one trial ends or ended; null when it never had one. */
  trialEndsAt: number | null
  /** `statusSince`: when it was first seen like this. `cancelAt`: when it ends though it is paid. */
  subscriptions: readonly { status: SubscriptionStatus; statusSince: number; cancelAt?: number | null }[]
  /** The operator asks no payment of it, or did so until then. */
  exemption?: 'holds' | { endedAt: number } | undefined
  /** How it stood when it was looked at last, and since when. */
  before: { state: State; since: number } | null
}

export interface Terms {
  /** How long an instance runs on after a payment failed. */
  graceMs: number
  /** How long it stays stopped before it is removed, its volume being kept. */
  removalMs: number
  /** How long the volume is kept after that; null for ever. */
  keptMs: number | null
}

/** States from which an account never goes back to `free`. */
const onceSubscribed: readonly State[] = ['paid', 'grace', 'over']

export interface Standing {
  state: State
  /** When it began to stand like this, as far as anybody saw. */
  since: number
  /** What its instances are to be: `none` leaves them to people. */
  instances: 'run' | 'stop' | 'remove' | 'none'
  /** Why it is over, or about to be for another reason than a payment that failed; else null. */
  reason: OverReason | null
  /** What happens when nothing is done, in order; the part that lies behind is left out. */
  ladder: readonly Rung[]
}

/**
 * The one rule of money: a function of what Stripe says, of the trial and of the clock. Time that nobody was shown does
 * not count: a grace period begins when the failed payment was seen, and the way to removal when it was seen to be over.
 */
export function assess(facts: Facts, terms: Terms, now: number): Standing {
  const { trialEndsAt, subscriptions } = facts
  const has = (...statuses: SubscriptionStatus[]) =>
    subscriptions.some(each => statuses.includes(each.status))
  const sinceOf = (state: State) => (facts.before?.state === state ? facts.before.since : now)

  if (facts.exemption === 'holds') {
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
  // A customer that was deleted at Stripe takes the subscriptions along: only who never paid is left to people.
  if (facts.before !== null && onceSubscribed.includes(facts.before.state)) return over('canceled')
  return { state: 'free', since: sinceOf('free'), instances: 'none', reason: null, ladder: [] }

  function over(reason: OverReason): Standing {
    // After an exemption, the account has a grace period to choose a plan.
    if (facts.exemption && facts.exemption !== 'holds') {
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
    // From here on the instance's own record says when its data goes.
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
