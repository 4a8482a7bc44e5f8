import type { Exemptions } from '../accounts/exemption.ts'
import type { AccountStanding, Standings } from '../accounts/standings.ts'
import type { Trials } from '../accounts/trial.ts'
import type { Plan } from '../contract.ts'
import type { Subscription } from '../schema.ts'
import type { Customers } from '../stripe/customers.ts'
import type { Plans } from './plans.ts'

/** What an account pays, or why it pays nothing. */
export interface Bill {
  standing: AccountStanding
  trialEndsAt: number | null
  /** The subscription that counts; null when none is active. */
  subscription: (Subscription & { plan: Plan | null; quantity: number }) | null
  /** The active exemption from payment; null when there is none. */
  exemption: { since: number; why: string; plan: Plan | null } | null
  /** Whether the account is a customer at Stripe, and so can open the portal. */
  customer: boolean
  /** The trial that a first instance starts: how long it lasts, and whether one is available now. Null for none. */
  trial: { forMs: number; free: boolean } | null
}

/** Makes the function that reads the bill of an account. */
export function billReader(parts: {
  plans: Plans
  customers: Customers
  standings: Standings
  trials: Trials
  exemptions: Exemptions
  trialMs: number
  trialLimit: number
}): (accountId: string) => Bill {
  const { plans, customers, standings, trials, exemptions, trialMs, trialLimit } = parts
  const trialOf = (state: AccountStanding['state']): Bill['trial'] =>
    state === 'free' && trialMs > 0 ? { forMs: trialMs, free: trials.going() < trialLimit } : null

  return accountId => {
    const first = plans.goingOn(accountId)[0]
    const exemption = exemptions.of(accountId)
    const standing = standings.of(accountId)
    return {
      standing,
      trial: trialOf(standing.state),
      trialEndsAt: trials.endsAt(accountId),
      subscription: first ? { ...first, ...plans.bought(first) } : null,
      exemption: exemption && {
        since: exemption.since,
        why: exemption.why,
        plan: plans.givenTo(accountId) ?? null,
      },
      customer: customers.of(accountId) !== null,
    }
  }
}
