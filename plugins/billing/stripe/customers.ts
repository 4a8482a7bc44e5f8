import { and, eq, inArray } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { serialByKey } from '../../../src/concurrency.ts'
import type { Db } from '../../../src/storage/database.ts'
import type { AccountDirectory } from '../../auth/contract.ts'
import { customerGone } from '../problems.ts'
import type * as schema from '../schema.ts'
import { type Customer, customers, type Subscription, subscriptions } from '../schema.ts'
import { StripeFailure } from './failure.ts'
import type { StripeSubscription } from './objects.ts'
import type { StripeAccess } from './stripe.ts'

export type BillingDb = Db<typeof schema>

/**
 * The accounts as customers at Stripe. A customer is always read whole, and replaces what was known of it. So the order of
 * events, their loss and their repetition do not matter.
 */
export class Customers {
  readonly #db: BillingDb
  readonly #stripe: StripeAccess
  readonly #accounts: Pick<AccountDirectory, 'get'>
  readonly #clock: Clock
  readonly #serial = serialByKey()

  constructor(parts: {
    db: BillingDb
    stripe: StripeAccess
    accounts: Pick<AccountDirectory, 'get'>
    clock: Clock
  }) {
    this.#db = parts.db
    this.#stripe = parts.stripe
    this.#accounts = parts.accounts
    this.#clock = parts.clock
  }

  /** The customers of the key's mode, live or test. */
  list(): Customer[] {
    return this.#db.select().from(customers).where(eq(customers.live, this.#stripe.live)).all()
  }

  of(accountId: string): Customer | null {
    return (
      this.#db
        .select()
        .from(customers)
        .where(and(eq(customers.accountId, accountId), eq(customers.live, this.#stripe.live)))
        .get() ?? null
    )
  }

  /** An account's subscriptions as last read, newest first. */
  subscriptionsOf(accountId: string): Subscription[] {
    const customer = this.of(accountId)
    if (!customer) return []
    return this.#db
      .select()
      .from(subscriptions)
      .where(eq(subscriptions.customerId, customer.customerId))
      .all()
      .sort((a, b) => b.createdAt - a.createdAt)
  }

  /** All subscriptions as last read, by customer. */
  subscriptions(): Map<string, Subscription[]> {
    return Map.groupBy(this.#db.select().from(subscriptions).all(), ({ customerId }) => customerId)
  }

  /** Each customer with its subscriptions as last read, in no order. */
  everySubscription(): [Customer, Subscription[]][] {
    const byCustomer = this.subscriptions()
    return this.list().map(customer => [customer, byCustomer.get(customer.customerId) ?? []])
  }

  /**
   * Returns the account's customer. Creates it at Stripe the first time, and again when it was deleted there. Throws
   * `customer-gone` when Stripe does not know the customer although it has a subscription: the right key may come back.
   */
  async ensure(account: { id: string; email: string }): Promise<string> {
    const known = this.of(account.id)
    if (!known) return this.#remember(await this.#stripe.createCustomer(account), account.id, account.email)
    const { customerId } = known
    const { state } = await this.#stripe.customer(customerId)
    if (state === 'known') return customerId
    if (state === 'unknown' && this.subscriptionsOf(account.id).some(({ endedAt }) => endedAt === null))
      throw customerGone(
        'Nothing was ordered, and your instances and data here are unchanged. Tell the operator of this site.',
      )
    const anew = await this.#stripe.createCustomer(account)
    this.#db.transaction(tx => {
      // The old customer's subscriptions are never read again.
      tx.delete(subscriptions).where(eq(subscriptions.customerId, customerId)).run()
      tx.update(customers)
        .set({ customerId: anew, syncedEmail: account.email, readAt: null, error: null })
        .where(eq(customers.customerId, customerId))
        .run()
    })
    return anew
  }

  /**
   * Reads a customer's subscriptions from Stripe and stores them. Returns the account; null for a customer that is not
   * ours. Reads one customer once at a time, so that an older answer never replaces a newer one.
   */
  read(customerId: string, signal?: AbortSignal): Promise<string | null> {
    return this.#serial(customerId, () => this.#read(customerId, signal))
  }

  /** Records the email address that Stripe has; null forgets it. */
  markEmailSynced(customerId: string, syncedEmail: string | null): void {
    this.#db.update(customers).set({ syncedEmail }).where(eq(customers.customerId, customerId)).run()
  }

  async #read(customerId: string, signal?: AbortSignal): Promise<string | null> {
    const accountId = await this.#accountOf(customerId)
    if (accountId === null) return null
    const key = eq(customers.customerId, customerId)
    try {
      const found = await this.#found(customerId, signal)
      this.#db.transaction(tx => {
        const known = tx.select().from(subscriptions).where(eq(subscriptions.customerId, customerId)).all()
        const gone = known.map(({ id }) => id).filter(id => !found.some(each => each.id === id))
        tx.delete(subscriptions).where(inArray(subscriptions.id, gone)).run()
        for (const each of found) {
          const before = known.find(({ id }) => id === each.id)
          const statusSince = before?.status === each.status ? before.statusSince : this.#clock.now()
          const row = { ...each, customerId, statusSince }
          tx.insert(subscriptions)
            .values(row)
            .onConflictDoUpdate({ target: subscriptions.id, set: row })
            .run()
        }
        tx.update(customers).set({ readAt: this.#clock.now(), error: null }).where(key).run()
      })
    } catch (error) {
      this.#db
        .update(customers)
        .set({ error: (error as Error).message.slice(0, 500) })
        .where(key)
        .run()
      throw error
    }
    return accountId
  }

  /** A deleted customer has no subscriptions. One that Stripe never had is an error: the key may be another account's. */
  async #found(customerId: string, signal?: AbortSignal): Promise<StripeSubscription[]> {
    try {
      return await this.#stripe.subscriptionsOf(customerId, signal)
    } catch (error) {
      if (!(error instanceof StripeFailure && error.missing)) throw error
      const { state } = await this.#stripe.customer(customerId)
      if (state === 'deleted') return []
      if (state === 'known') throw error
      throw new StripeFailure(
        `Stripe does not know ${customerId}. Does STRIPE_SECRET_KEY belong to another Stripe account than before?`,
        { permanent: true, missing: true, cause: error },
      )
    }
  }

  /** From our own record, or else from the customer's metadata at Stripe, which restores a lost record. */
  async #accountOf(customerId: string): Promise<string | null> {
    const known = this.#db.select().from(customers).where(eq(customers.customerId, customerId)).get()
    if (known) return known.accountId
    const found = await this.#stripe.customer(customerId)
    const accountId = found.state === 'known' ? found.accountId : null
    if (accountId === null || !this.#accounts.get(accountId)) return null
    // An account has one customer. Another customer that names it was not created here.
    return this.#remember(customerId, accountId) === customerId ? accountId : null
  }

  #remember(customerId: string, accountId: string, syncedEmail: string | null = null): string {
    const { live } = this.#stripe
    const row = { customerId, accountId, live, syncedEmail, createdAt: this.#clock.now() }
    this.#db.insert(customers).values(row).onConflictDoNothing().run()
    return this.of(accountId)?.customerId ?? customerId
  }
}
