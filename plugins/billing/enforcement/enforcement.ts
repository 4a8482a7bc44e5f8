import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { stopReasons } from '../../../views/billing/stop-reasons.ts'
import type { InstanceSummary, ProvisionerService } from '../../provisioner/contract.ts'
import type { AccountStanding, Standings } from '../accounts/standings.ts'
import type { Plan } from '../settings.ts'
import type { Customers } from '../stripe/customers.ts'
import { StripeFailure } from '../stripe/stripe.ts'

/** Accounts checked before the event loop gets a turn: a thousand take seconds, and requests must not wait that long. */
const atOnce = 25

/** How long an account that is due to stop keeps running while Stripe cannot be reached. */
const patienceMs = 86_400_000

/**
 * Brings instances in line with how their accounts stand, through the provisioner's own service: it suspends and resumes,
 * and at the end of the ladder removes what brings itself back when it is paid. It deletes nothing.
 */
export function createEnforcement(parts: {
  provisioner: ProvisionerService
  standings: Standings
  customers: Customers
  /** What each of an account's instances may take of the host, by its plan. */
  limits(accountId: string): Plan['limits']
  /** How many instances the account's plan has room for; null when no plan says. */
  room(accountId: string): number | null
  clock: Clock
  log: Logger
}) {
  const { provisioner, standings, customers, limits, room, clock, log } = parts

  const instancesOf = (accountId: string) =>
    provisioner.instances().filter(instance => instance.accountId === accountId)

  const apply = (
    instance: InstanceSummary,
    { instances, reason }: AccountStanding,
    { mayRemove }: { mayRemove: boolean },
  ) => {
    const { id, subdomain, desired, deletedBy } = instance
    if (instances === 'none' || instances === 'run') {
      if (desired === 'deleted' && deletedBy === 'billing') {
        provisioner.resume(id)
        provisioner.restore(subdomain)
      } else if (instance.suspendedAt !== null) provisioner.resume(id)
      return
    }
    if (reason !== null && provisioner.suspend(id, stopReasons[reason])) {
      log.info({ subdomain, reason }, 'suspended: nothing pays for it')
    }
    if (instances === 'remove' && mayRemove && desired !== 'deleted') {
      log.info({ subdomain, reason }, 'removed: it was not paid for long enough; its volume is kept')
      provisioner.setDesired(subdomain, 'deleted', 'billing')
    }
  }

  /** Undoes what billing did to an instance that is no longer billed. */
  const release = (instance: InstanceSummary) => {
    const { id, subdomain, desired, deletedBy } = instance
    if (instance.suspendedAt !== null) provisioner.resume(id)
    if (desired === 'deleted' && deletedBy === 'billing') provisioner.restore(subdomain)
    provisioner.limit(id, null)
  }

  /** What runs beyond the plan, as after a change to a smaller one: the newest. It stops, and is never removed for that. */
  const beyond = (most: number, instances: readonly InstanceSummary[]) =>
    instances
      .filter(({ billed }) => billed)
      .filter(({ desired, deletedBy }) => desired !== 'deleted' || deletedBy === 'billing')
      .sort((a, b) => a.createdAt - b.createdAt || a.id.localeCompare(b.id))
      .slice(most)
  const hold = ({ id, subdomain, desired }: InstanceSummary, most: number) => {
    // What was removed meanwhile comes back when there is room, or when its owner wants it.
    if (desired === 'deleted') return
    const has = most === 1 ? 'one instance' : `${most} instances`
    const why = `Your plan has room for ${has}. Choose a larger one, or remove another instance.`
    if (provisioner.suspend(id, why)) log.info({ subdomain, most }, 'suspended: beyond what the plan allows')
  }

  const enforce = (
    accountId: string,
    instances: readonly InstanceSummary[],
    options: { mayRemove: boolean },
  ): AccountStanding => {
    const standing = standings.of(accountId)
    const most = standing.instances === 'run' ? room(accountId) : null
    const surplus = most === null ? [] : beyond(most, instances)
    for (const instance of instances) {
      try {
        if (!instance.billed) {
          release(instance)
          continue
        }
        if (most !== null && surplus.includes(instance)) {
          hold(instance, most)
          continue
        }
        if (standing.instances === 'run') provisioner.limit(instance.id, limits(accountId))
        apply(instance, standing, options)
      } catch (error) {
        // It may be purged, or its operator may be at it: the next look sees how it is then.
        log.warn(
          { err: error, subdomain: instance.subdomain },
          'could not be brought in line with its payment',
        )
      }
    }
    return standing
  }

  /** Reads the account from Stripe again; `away` when Stripe does not answer at all. */
  const confirm = async (accountId: string, signal: AbortSignal): Promise<'said' | 'refused' | 'away'> => {
    try {
      const customer = customers.of(accountId)
      if (customer) await customers.read(customer.customerId, signal)
      return 'said'
    } catch (error) {
      log.warn({ err: error, account: accountId }, 'Stripe cannot be asked whether it is paid')
      return error instanceof StripeFailure && error.permanent ? 'refused' : 'away'
    }
  }

  /** When each account that is due to stop began to wait for Stripe, on the monotonic clock. */
  const waiting = new Map<string, number>()
  /** Whether it may still be paid for all we know, because Stripe could not be asked; said for a day, and no longer. */
  const mayBePaid = (accountId: string, confirmed: boolean): boolean => {
    const since = waiting.get(accountId) ?? clock.monotonic()
    if (confirmed || clock.monotonic() - since >= patienceMs) {
      waiting.delete(accountId)
      return false
    }
    waiting.set(accountId, since)
    return true
  }

  return {
    /** Stops and starts an account's instances, after an event. Removes nothing. */
    settle: (accountId: string): AccountStanding =>
      enforce(accountId, instancesOf(accountId), { mayRemove: false }),

    /**
     * What the timer may do too: stop whoever's time has run out, and remove. Stripe is asked first, as somebody may have
     * paid in the last minute and the word of it be lost. `after` hears of each account with its instances.
     */
    settleAll: async (
      signal: AbortSignal,
      after: (standing: AccountStanding, instances: readonly InstanceSummary[]) => void,
    ): Promise<void> => {
      const grouped = () => Map.groupBy(provisioner.instances(), instance => instance.accountId)
      let byAccount = grouped()
      let away = false
      for (const [index, accountId] of standings.accounts().entries()) {
        if (index > 0 && index % atOnce === 0) {
          await nextTurn()
          byAccount = grouped()
        }
        if (signal.aborted) return
        const { instances: wish } = standings.peek(accountId)
        const present = (byAccount.get(accountId) ?? []).filter(
          each => each.billed && each.desired !== 'deleted',
        )
        const stops =
          (wish === 'stop' || wish === 'remove') && present.some(each => each.suspendedAt === null)
        const removes = wish === 'remove' && present.length > 0
        // Once Stripe is away, the other accounts do not wait for its timeouts.
        const answer: Awaited<ReturnType<typeof confirm>> | false =
          (stops || removes) && !away && (await confirm(accountId, signal))
        away ||= answer === 'away'
        const confirmed = answer === 'said'
        if (stops && mayBePaid(accountId, confirmed)) continue
        // Stripe takes its time. An instance may have been removed or handed over meanwhile.
        if (stops || removes) byAccount = grouped()
        const now = byAccount.get(accountId) ?? []
        after(enforce(accountId, now, { mayRemove: removes && confirmed }), now)
      }
    },

    /** Objects to deleting the volume of an instance that billing removed and that is paid for again. */
    objection: async (instance: InstanceSummary, signal: AbortSignal): Promise<string | null> => {
      const { accountId, deletedBy } = instance
      if (deletedBy !== 'billing' || accountId === null) return null
      const customer = customers.of(accountId)
      if (customer) await customers.read(customer.customerId, signal)
      const standing = enforce(accountId, instancesOf(accountId), { mayRemove: false })
      return standing.instances === 'remove' && instance.billed
        ? null
        : 'It was removed because nothing paid for it, and that is over.'
    },
  }
}

export type Enforcement = ReturnType<typeof createEnforcement>
