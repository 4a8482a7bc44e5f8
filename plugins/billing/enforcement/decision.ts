import { stopReasons } from '../../../views/billing/stop-reasons.ts'
import type { InstanceSummary } from '../../provisioner/contract.ts'
import type { Plan } from '../contract.ts'
import type { Standing } from '../rules/standing.ts'

/** How long an account that is due to stop keeps running while Stripe cannot be reached. */
export const patienceMs = 86_400_000

/** What enforcement knows of an account when it decides about its instances. */
export interface Case {
  standing: Pick<Standing, 'instances' | 'reason'>
  /** How many instances the account's plan has room for; null when no plan says. */
  room: number | null
  /** What each instance may take of the host, by its plan; null for what every instance may. */
  limits: Plan['limits']
  /** Whether the account's removals may be carried out: Stripe has just confirmed that nothing is paid. */
  mayRemove: boolean
}

/** One call to the provisioner. `suspend` carries its reason, in words for the owner. */
export type Action =
  | { type: 'limit'; limits: Plan['limits'] }
  | { type: 'suspend'; reason: string }
  | { type: 'resume' | 'restore' | 'remove' }

export type EnforcedInstance = Pick<
  InstanceSummary,
  'id' | 'billed' | 'desired' | 'deletedBy' | 'suspendedAt' | 'createdAt'
>

/**
 * Decides what to do with each instance of one account, in order:
 *
 * 1. An instance that is not billed is released: whatever billing did to it is undone.
 * 2. When the account runs, the newest instances beyond the plan's room are suspended. They are never removed for it.
 * 3. When the account runs, the other instances get the plan's limits, and come back if billing stopped or removed them.
 * 4. When the account is due to stop, its instances are suspended with the reason.
 * 5. When it is due for removal and removal may be carried out, they are removed as well; the volume is kept.
 *
 * An account in which billing has no say (`none`) gets its instances back, without limits.
 */
export function decide<I extends EnforcedInstance>(
  instances: readonly I[],
  account: Case,
): Map<I, readonly Action[]> {
  const runs = account.standing.instances === 'run'
  const { room } = account
  const surplus = runs && room !== null ? beyondRoom(instances, room) : []
  return new Map(
    instances.map(instance => {
      if (!instance.billed) return [instance, release(instance)]
      if (room !== null && surplus.includes(instance)) return [instance, suspendSurplus(instance, room)]
      if (runs) return [instance, [{ type: 'limit', limits: account.limits }, ...giveBack(instance)]]
      return [
        instance,
        account.standing.instances === 'none' ? giveBack(instance) : takeAway(instance, account),
      ]
    }),
  )
}

/** The newest of those that count against the plan, beyond its room; one that billing removed still counts. */
export function beyondRoom<I extends EnforcedInstance>(instances: readonly I[], room: number): I[] {
  return instances
    .filter(({ billed }) => billed)
    .filter(({ desired, deletedBy }) => desired !== 'deleted' || deletedBy === 'billing')
    .sort((a, b) => a.createdAt - b.createdAt || a.id.localeCompare(b.id))
    .slice(room)
}

/** What a round is about to do to an account that is due to stop: Stripe is asked before either. */
export function dueFor(
  wish: Standing['instances'],
  instances: readonly EnforcedInstance[],
): { stop: boolean; remove: boolean } {
  const present = instances.filter(each => each.billed && each.desired !== 'deleted')
  return {
    stop: (wish === 'stop' || wish === 'remove') && present.some(each => each.suspendedAt === null),
    remove: wish === 'remove' && present.length > 0,
  }
}

function release({ suspendedAt, desired, deletedBy }: EnforcedInstance): Action[] {
  return [
    ...(suspendedAt !== null ? [{ type: 'resume' as const }] : []),
    ...(desired === 'deleted' && deletedBy === 'billing' ? [{ type: 'restore' as const }] : []),
    { type: 'limit', limits: null },
  ]
}

function giveBack({ suspendedAt, desired, deletedBy }: EnforcedInstance): Action[] {
  if (desired === 'deleted' && deletedBy === 'billing') return [{ type: 'resume' }, { type: 'restore' }]
  return suspendedAt !== null ? [{ type: 'resume' }] : []
}

function takeAway({ desired }: EnforcedInstance, { standing, mayRemove }: Case): Action[] {
  const { instances, reason } = standing
  return [
    ...(reason !== null ? [{ type: 'suspend' as const, reason: stopReasons[reason] }] : []),
    ...(instances === 'remove' && mayRemove && desired !== 'deleted' ? [{ type: 'remove' as const }] : []),
  ]
}

function suspendSurplus({ desired }: EnforcedInstance, room: number): Action[] {
  // An instance that was removed comes back when the plan has room again, or when its owner restores it.
  if (desired === 'deleted') return []
  const has = room === 1 ? 'one instance' : `${room} instances`
  return [
    {
      type: 'suspend',
      reason: `Your plan has room for ${has}. Choose a larger plan, or remove another instance.`,
    },
  ]
}
