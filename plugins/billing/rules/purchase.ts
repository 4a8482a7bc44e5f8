import type { Plan } from '../contract.ts'
import type { Subscription } from '../schema.ts'

/** What a subscription pays for: a plan and a quantity. `plan.instances` is the total for all of them. */
export interface Purchase {
  plan: Plan
  quantity: number
}

/** The most instances of one account, whatever it pays for. */
const mostInstances = 1000

/**
 * The plan that a subscription pays for, whichever item it is; the larger one if there are two. A quantity of 3 means three
 * times the plan's instances, each of the same size. A quantity of 0 means nothing. Null when no item is a known plan.
 */
export function purchaseOf(
  subscription: Pick<Subscription, 'items' | 'priceId'>,
  plans: readonly Plan[],
): Purchase | null {
  const { items, priceId } = subscription
  const lines = items ?? (priceId === null ? [] : [{ priceId, quantity: 1 }])
  const bought = lines.flatMap(({ priceId: price, quantity }) => {
    const plan = plans.find(each => each.price === price)
    if (!plan || quantity < 1) return []
    return [{ plan: { ...plan, instances: Math.min(plan.instances * quantity, mostInstances) }, quantity }]
  })
  return bought.sort((a, b) => bySize(a.plan, b.plan))[0] ?? null
}

/** The larger plan first: more instances, then more memory for each. */
export function bySize(a: Plan | null, b: Plan | null): number {
  const instances = (plan: Plan | null) => plan?.instances ?? 0
  const memory = (plan: Plan | null) => plan?.limits?.memoryBytes ?? 0
  return instances(b) - instances(a) || memory(b) - memory(a)
}
