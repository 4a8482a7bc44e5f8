import { setImmediate as nextTick } from 'node:timers/promises'
import { actingAs, type Principal } from '../../../src/acting.ts'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import type { InstanceSummary, ProvisionerService } from '../../provisioner/contract.ts'
import type { RouterService } from '../../router/contract.ts'
import type { AccountStanding, Standings } from '../accounts/standings.ts'
import type { Plan } from '../contract.ts'
import type { Customers } from '../stripe/customers.ts'
import { StripeFailure } from '../stripe/failure.ts'
import { type Action, decide, dueFor, patienceMs } from './decision.ts'

/** Accounts checked before the event loop runs other work: a thousand take seconds, and requests must not wait that long. */
const batchSize = 25

/** Who acts when a plan or an unpaid invoice decides. */
const billing: Principal = { kind: 'billing', id: 'billing', name: 'billing' }

export interface EnforcementParts {
  provisioner: ProvisionerService
  router: RouterService
  standings: Standings
  customers: Customers
  /** What each of an account's instances may take of the host, by its plan. */
  limits(accountId: string): Plan['limits']
  /** The limits of the requests to each of an account's instances, by its plan. */
  traffic(accountId: string): Plan['traffic']
  /** The name of its plan; null for none. */
  planName(accountId: string): string | null
  /** How many instances the account's plan has room for; null when no plan says. */
  room(accountId: string): number | null
  clock: Clock
  log: Logger
}

/** What Stripe said when it was asked about an account; `away` when it did not answer at all. */
type Answer = 'confirmed' | 'refused' | 'away'

/**
 * Brings instances in line with how their accounts stand, through the provisioner's service. It suspends and resumes
 * instances; at the end of the ladder it removes them, and paying brings them back. It never deletes a volume.
 * The rules are in `decision.ts`; this class carries them out.
 */
export class Enforcement {
  readonly #parts: EnforcementParts
  /** When each account that is due to stop began to wait for Stripe, on the monotonic clock. */
  readonly #waitingSince = new Map<string, number>()

  constructor(parts: EnforcementParts) {
    this.#parts = parts
  }

  /** Sets the limits of requests by plan before anything is routed: an edge that goes on through a restart must not lose them. */
  publishLimits(): void {
    const { router, traffic } = this.#parts
    for (const [accountId, instances] of this.#byAccount()) {
      const limits = accountId === null ? null : traffic(accountId)
      for (const { subdomain } of instances) router.setRule(subdomain, 'limits', limits)
    }
  }

  /** Stops and starts an account's instances, after an event. Removes nothing. */
  enforce(accountId: string): AccountStanding {
    return this.#apply(accountId, this.#instancesOf(accountId), { mayRemove: false })
  }

  /**
   * Enforces every account; this is what the timer runs. Only here are instances removed. For each account:
   *
   * 1. Peek at how it stands. If nothing would stop or be removed, go to step 5.
   * 2. Ask Stripe, because the owner may have paid in the last minute and the event may be lost. Once Stripe does not
   *    answer, the remaining accounts do not wait for its timeouts.
   * 3. If Stripe did not confirm, leave an account that is due to stop running, for a day at most.
   * 4. Read the account's instances again: one may have been removed or handed over meanwhile.
   * 5. Apply the decision, then call `after` with the account's standing and its instances.
   */
  async enforceAll(
    signal: AbortSignal,
    after: (standing: AccountStanding, instances: readonly InstanceSummary[]) => void,
  ): Promise<void> {
    const { standings } = this.#parts
    let byAccount = this.#byAccount()
    let away = false
    const accounts = standings.accounts()
    this.#noteOthers(new Set(accounts), byAccount)
    for (const [index, accountId] of accounts.entries()) {
      if (index > 0 && index % batchSize === 0) {
        await nextTick()
        byAccount = this.#byAccount()
      }
      if (signal.aborted) return
      const due = dueFor(standings.peek(accountId).instances, byAccount.get(accountId) ?? [])
      let confirmed = false
      if (due.stop || due.remove) {
        const answer: Answer = away ? 'away' : await this.#askStripe(accountId, signal)
        away ||= answer === 'away'
        confirmed = answer === 'confirmed'
        if (due.stop && this.#mayStillBePaid(accountId, confirmed)) continue
        byAccount = this.#byAccount()
      }
      const instances = byAccount.get(accountId) ?? []
      after(this.#apply(accountId, instances, { mayRemove: due.remove && confirmed }), instances)
    }
  }

  /** Objects to deleting the volume of an instance that billing removed and that is paid for again. */
  async objection(instance: InstanceSummary, signal: AbortSignal): Promise<string | null> {
    const { customers } = this.#parts
    const { accountId, deletedBy } = instance
    if (deletedBy !== 'billing' || accountId === null) return null
    const customer = customers.of(accountId)
    if (customer) await customers.read(customer.customerId, signal)
    const standing = this.enforce(accountId)
    return standing.instances === 'remove' && instance.billed
      ? null
      : 'The instance was removed because it was not paid for, and that is no longer the case.'
  }

  #byAccount() {
    return Map.groupBy(this.#parts.provisioner.instances(), instance => instance.accountId)
  }

  #instancesOf(accountId: string): InstanceSummary[] {
    return this.#parts.provisioner.instances().filter(instance => instance.accountId === accountId)
  }

  #apply(
    accountId: string,
    instances: readonly InstanceSummary[],
    { mayRemove }: { mayRemove: boolean },
  ): AccountStanding {
    const { standings, limits, room, log } = this.#parts
    const standing = standings.of(accountId)
    const runs = standing.instances === 'run'
    this.#note(instances, standing)
    const decisions = decide(instances, {
      standing,
      room: runs ? room(accountId) : null,
      limits: runs ? limits(accountId) : null,
      mayRemove,
    })
    for (const [instance, actions] of decisions) {
      try {
        actingAs(billing, () => {
          for (const action of actions) this.#carryOut(instance, action)
        })
      } catch (error) {
        // The instance may be purged, or the operator may be working on it. The next round decides anew.
        log.warn(
          { err: error, subdomain: instance.subdomain },
          'could not bring an instance in line with its plan',
        )
      }
    }
    return standing
  }

  /** Sets the limits of requests, at once, and what the operator's list says of an account's instances: which plan pays for them, if any. */
  #note(instances: readonly InstanceSummary[], { state }: AccountStanding): void {
    const { provisioner, router, planName, traffic } = this.#parts
    const accountId = instances[0]?.accountId
    const plan = accountId ? planName(accountId) : null
    const limits = accountId ? traffic(accountId) : null
    for (const { subdomain } of instances) router.setRule(subdomain, 'limits', limits)
    const unpaid = state === 'grace' || state === 'over'
    provisioner.note(instances.map(({ id, billed }) => ({ instanceId: id, plan, unpaid: billed && unpaid })))
  }

  /** No plan pays for instances of accounts that billing does not know: what was noted of them before is over. */
  #noteOthers(
    known: ReadonlySet<string>,
    byAccount: ReadonlyMap<string | null, readonly InstanceSummary[]>,
  ): void {
    const others = [...byAccount].flatMap(([accountId, instances]) =>
      accountId !== null && known.has(accountId) ? [] : instances,
    )
    for (const { subdomain } of others) this.#parts.router.setRule(subdomain, 'limits', null)
    this.#parts.provisioner.note(others.map(({ id }) => ({ instanceId: id, plan: null, unpaid: false })))
  }

  #carryOut({ id, subdomain }: InstanceSummary, action: Action): void {
    const { provisioner, log } = this.#parts
    switch (action.type) {
      case 'limit':
        provisioner.limit(id, action.limits)
        break
      case 'resume':
        provisioner.resume(id)
        break
      case 'restore':
        provisioner.restore(subdomain)
        break
      case 'suspend':
        if (provisioner.suspend(id, action.reason))
          log.info({ subdomain, reason: action.reason }, 'suspended')
        break
      case 'remove':
        log.info({ subdomain }, 'removed: not paid for too long; its volume is kept')
        provisioner.setDesired(subdomain, 'deleted', 'billing')
    }
  }

  /** Reads the account from Stripe again. */
  async #askStripe(accountId: string, signal: AbortSignal): Promise<Answer> {
    const { customers, log } = this.#parts
    try {
      const customer = customers.of(accountId)
      if (customer) await customers.read(customer.customerId, signal)
      return 'confirmed'
    } catch (error) {
      log.warn({ err: error, account: accountId }, 'cannot ask Stripe whether an account has paid')
      return error instanceof StripeFailure && error.permanent ? 'refused' : 'away'
    }
  }

  /** Whether the account may have paid for all we know, because Stripe could not be asked; true for a day, and no longer. */
  #mayStillBePaid(accountId: string, confirmed: boolean): boolean {
    const now = this.#parts.clock.monotonic()
    const since = this.#waitingSince.get(accountId) ?? now
    if (confirmed || now - since >= patienceMs) {
      this.#waitingSince.delete(accountId)
      return false
    }
    this.#waitingSince.set(accountId, since)
    return true
  }
}
