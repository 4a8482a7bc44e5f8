import type { InstanceLimit } from '../../provisioner/contract.ts'
import type { Exemptions } from '../accounts/exemption.ts'
import type { Standings } from '../accounts/standings.ts'
import type { Plan } from '../contract.ts'
import { purchaseOf } from '../rules/purchase.ts'
import { byWeight, equallyPaid } from '../rules/subscription-order.ts'
import type { Subscription } from '../schema.ts'
import type { Customers } from '../stripe/customers.ts'

/** The plan of each account, paid for or given by the operator, and what it allows. */
export function openPlans(parts: {
  list: readonly Plan[]
  customers: Customers
  standings: Standings
  exemptions: Exemptions
}) {
  const { list, customers, standings, exemptions } = parts
  const planOf = (subscription: Subscription): Plan | null => purchaseOf(subscription, list)?.plan ?? null
  const weigh = (subscriptions: readonly Subscription[]) => byWeight(subscriptions, planOf)
  const goingOn = (accountId: string) => weigh(customers.subscriptionsOf(accountId))
  const givenTo = (accountId: string): Plan | null | undefined => {
    const exemption = exemptions.of(accountId)
    return exemption ? (list.find(({ id }) => id === exemption.planId) ?? null) : undefined
  }
  /** The plan whose limits apply: the paid one, the given one, or the larger when the account has both. */
  const planFor = (accountId: string): Plan | null => {
    const subscription = goingOn(accountId)[0]
    const ordered = subscription ? planOf(subscription) : null
    const given = givenTo(accountId)
    if (given === undefined) return ordered
    const pays = subscription?.status === 'active' || subscription?.status === 'trialing'
    if (given === null || !pays || ordered === null) return given
    return ordered.instances > given.instances ? ordered : given
  }

  return {
    list,
    /** Orders the subscriptions that have not ended; the first one counts. */
    weigh,
    /** An account's subscriptions that have not ended; the first one counts. */
    goingOn,
    /** The plan that the operator gives; undefined for no gift, null for a plan that is no longer offered. */
    givenTo,
    /** The plan and quantity that a subscription pays for. */
    bought: (subscription: Subscription): { plan: Plan | null; quantity: number } =>
      purchaseOf(subscription, list) ?? { plan: null, quantity: 1 },

    /** How many instances an account may have at the same time, and what says so. */
    instances: (accountId: string): InstanceLimit => {
      const plan = planFor(accountId)
      const most = plan?.instances ?? 1
      const by = plan
        ? `The plan ${plan.name}`
        : standings.of(accountId).state === 'trial'
          ? 'The trial'
          : null
      return { most, by, larger: list.some(each => each.instances > most), domains: plan?.domains ?? null }
    },

    /** How many instances are paid for or given; null for none, and for a price that is no longer offered. */
    room: (accountId: string): number | null => {
      if (givenTo(accountId) !== undefined) return planFor(accountId)?.instances ?? null
      const paid = equallyPaid(goingOn(accountId)).map(planOf)
      return paid.includes(null) ? null : (paid[0]?.instances ?? null)
    },

    of: planFor,

    /** The name of the plan whose limits apply; null for none. */
    nameOf: (accountId: string): string | null => planFor(accountId)?.name ?? null,

    /** What each instance of an account may use of the host; null for the limits that apply to every instance. */
    limits: (accountId: string): Plan['limits'] => planFor(accountId)?.limits ?? null,

    /** The limits of the requests to each instance of an account; null for those of every instance. */
    traffic: (accountId: string): Plan['traffic'] => planFor(accountId)?.traffic ?? null,
  }
}

export type Plans = ReturnType<typeof openPlans>
