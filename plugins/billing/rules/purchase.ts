import type { Subscription } from '../schema.ts'
import type { Plan } from '../settings.ts'

/** What a subscription gives: a plan, taken so many times. `plan.instances` is what all of them hold together. */
export interface Purchase {
  plan: Plan
  quantity: number
}

/** The most instances of one account, whatever is paid for. */
const mostInstances = 1000

/**
 * The plan that a subscription pays for, wherever it stands among the items; of two, the larger one. A quantity of 3 is three
 * times the plan's instances, each as large as ever. An item with a quantity of 0 gives nothing. Null when no item is
 * on the list of plans.
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
