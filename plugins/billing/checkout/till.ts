import type { Clock } from '../../../src/clock.ts'
import { Problem } from '../../../src/http/problem.ts'
import type { Account } from '../../auth/contract.ts'
import type { Admission, InstanceLimit } from '../../provisioner/contract.ts'
import type { Exemptions } from '../accounts/exemption.ts'
import type { AccountStanding, Standings } from '../accounts/standings.ts'
import type { Trials } from '../accounts/trial.ts'
import {
  customerGone,
  noCustomer,
  paymentNeeded,
  stripeAway,
  stripeRefused,
  trialsUsedUp,
  unknownPlan,
} from '../problems.ts'
import { purchaseOf } from '../rules/purchase.ts'
import { byWeight, equallyPaid } from '../rules/subscription-order.ts'
import type { Subscription } from '../schema.ts'
import type { Plan } from '../settings.ts'
import type { Customers } from '../stripe/customers.ts'
import { type StripeAccess, StripeFailure } from '../stripe/stripe.ts'
import { type Checkout, createCheckout } from './checkout.ts'

export interface Bill {
  standing: AccountStanding
  trialEndsAt: number | null
  /** The one that counts; null when there is none that still goes on. */
  subscription: (Subscription & { plan: Plan | null; quantity: number }) | null
  /** The operator asks no payment; null when they do. */
  exemption: { since: number; why: string; plan: Plan | null } | null
  /** There is somebody at Stripe to show a portal to. */
  customer: boolean
  /** The trial that a first instance begins: how long, and whether there is room for one more now. Null for none. */
  trial: { forMs: number; free: boolean } | null
}

/** What accounts order, and what they may have for it. */
export function openTill(parts: {
  stripe: StripeAccess
  customers: Customers
  standings: Standings
  trials: Trials
  exemptions: Exemptions
  plans: readonly Plan[]
  trialMs: number
  trialLimit: number
  graceMs: number
  clock: Clock
  /** Where the browser comes back to. */
  page(): string
}) {
  const { stripe, customers, standings, trials, exemptions, plans, clock, page } = parts
  const planOf = (subscription: Subscription) => purchaseOf(subscription, plans)?.plan ?? null
  const counted = (subscription: Subscription): Bill['subscription'] => {
    const { plan = null, quantity = 1 } = purchaseOf(subscription, plans) ?? {}
    return { ...subscription, plan, quantity }
  }
  const weigh = (subscriptions: readonly Subscription[]) => byWeight(subscriptions, planOf)
  const goingOn = (accountId: string) => weigh(customers.subscriptionsOf(accountId))
  const counting = (accountId: string) => goingOn(accountId)[0]
  const checkout: Checkout = createCheckout({ stripe, customers, clock, goingOn, page })
  /** What the operator gives; undefined where they give nothing, null for what is on the list no more. */
  const givenTo = (accountId: string): Plan | null | undefined => {
    const exemption = exemptions.of(accountId)
    return exemption ? (plans.find(({ id }) => id === exemption.planId) ?? null) : undefined
  }
  /** Whose limits hold: that of the subscription that counts, or what is given, or the larger of both when both are paid. */
  const planFor = (accountId: string): Plan | null => {
    const subscription = counting(accountId)
    const ordered = subscription ? planOf(subscription) : null
    const given = givenTo(accountId)
    if (given === undefined) return ordered
    const pays = subscription?.status === 'active' || subscription?.status === 'trialing'
    if (given === null || !pays || ordered === null) return given
    return ordered.instances > given.instances ? ordered : given
  }
  const trialOf = (state: AccountStanding['state']): Bill['trial'] =>
    state === 'free' && parts.trialMs > 0
      ? { forMs: parts.trialMs, free: trials.going() < parts.trialLimit }
      : null

  return {
    plans,
    /** Those that go on, the one that counts first. */
    weigh,
    /** Nothing can be ordered any more on the pages that an account has open. */
    closeOrders: checkout.close,

    bill: (accountId: string): Bill => {
      const first = counting(accountId)
      const exemption = exemptions.of(accountId)
      const standing = standings.of(accountId)
      return {
        standing,
        trial: trialOf(standing.state),
        trialEndsAt: trials.endsAt(accountId),
        subscription: first ? counted(first) : null,
        exemption: exemption && {
          since: exemption.since,
          why: exemption.why,
          plan: givenTo(accountId) ?? null,
        },
        customer: customers.of(accountId) !== null,
      }
    },

    /** Where to pay. Throws `unknown-plan`, `already-subscribed`, `payment-provider-…`. */
    checkout: async (account: Account, planId: string, subdomain: string | null): Promise<string> => {
      const plan = plans.find(each => each.id === planId)
      if (!plan) {
        const known = plans.map(each => each.id).join(', ')
        throw unknownPlan(`There is no plan "${planId}"; there are ${known}.`, {
          errors: [{ path: 'plan', message: `must be one of ${known}` }],
        })
      }
      return asked(() => checkout.order(account, plan.price, subdomain))
    },

    /** Where to change cards, see invoices and cancel. Throws `no-customer`, `payment-provider-…`. */
    portal: async (account: Account): Promise<string> => {
      const customer = customers.of(account.id)
      if (!customer) throw noCustomer('Choose a plan first; there is nothing to manage yet.')
      return asked(async () => {
        try {
          return await stripe.openPortal(customer.customerId, `${page()}?changed=1`)
        } catch (error) {
          if (!(error instanceof StripeFailure && error.missing)) throw error
          // It was deleted there, or the key is of another account: what that means is asked now.
          await customers.read(customer.customerId).catch(() => {})
          throw customerGone(
            counting(account.id)
              ? 'Tell the operator of this site. What you have here is left as it is.'
              : 'Choose a plan to begin anew; what you have here is kept.',
            { cause: error },
          )
        }
      })
    },

    /** Reads what Stripe says now. A Stripe that does not answer leaves what was known: then it is false. */
    refresh: async (accountId: string): Promise<boolean> => {
      const customer = customers.of(accountId)
      if (!customer) return true
      return customers.read(customer.customerId).then(
        () => true,
        () => false,
      )
    },

    /** How many instances an account may have at a time, and by what. */
    instances: (accountId: string): InstanceLimit => {
      const plan = planFor(accountId)
      const most = plan?.instances ?? 1
      const by = plan
        ? `The plan ${plan.name}`
        : standings.of(accountId).state === 'trial'
          ? 'The trial'
          : null
      return { most, by, larger: plans.some(each => each.instances > most) }
    },

    /** The same by what is paid for or given; null when nothing is, or for a price that is on the list no more. */
    room: (accountId: string): number | null => {
      if (givenTo(accountId) !== undefined) return planFor(accountId)?.instances ?? null
      const paid = equallyPaid(goingOn(accountId)).map(planOf)
      return paid.includes(null) ? null : (paid[0]?.instances ?? null)
    },

    /** What each of an account's instances may take of the host; null for what every instance may. */
    limits: (accountId: string): Plan['limits'] => planFor(accountId)?.limits ?? null,

    /**
     * An instance is being made, taken in or brought back, in the same transaction: begins the trial where one is due. Throws
     * `payment-needed` or `trials-used-up`.
     */
    admit: (accountId: string, how: Parameters<Admission>[1]): void => {
      const { state } = standings.of(accountId)
      if (how === 'billed') {
        // Its owner is asked for a plan, and has some time to choose one, also where there are no trials.
        if (state === 'free') trials.begin(accountId, parts.trialMs === 0 ? parts.graceMs : undefined)
        return
      }
      if (state === 'over') throw paymentNeeded('Choose a plan first; then you can have an instance again.')
      // What was made before anything cost something is left to its owner.
      if (state !== 'free' || how === 'brought-back') return
      if (parts.trialMs === 0) throw paymentNeeded('Choose a plan first; there is no trial here.')
      if (trials.going() >= parts.trialLimit) {
        throw trialsUsedUp('All trials are taken now. Come back in a few days, or choose a plan at once.', {
          headers: { 'Retry-After': '86400' },
        })
      }
      trials.begin(accountId)
    },
  }
}

export type Till = ReturnType<typeof openTill>

async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem || !(error instanceof StripeFailure)) throw error
    if (error.permanent)
      throw stripeRefused('Nothing was ordered. Tell the operator of this site.', { cause: error })
    throw stripeAway('Nothing was ordered. Try again in a few minutes.', {
      cause: error,
      headers: { 'Retry-After': '60' },
    })
  }
}
