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
 * Accounts as Stripe's customers. What Stripe says is read whole and put in the place of what was known, so that neither
 * the order of events nor their loss or repetition can matter.
 */
export class Customers {
  readonly #db: BillingDb
  readonly #stripe: StripeAccess
  readonly #accounts: Pick<AccountDirectory, 'get'>
  readonly #clock: Clock
  readonly #inTurn = serialByKey()

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

  /** Of the mode that the key is for. */
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

  /** Newest first, as they were when last read. */
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

  /** Those of every customer, as they were when last read. */
  subscriptions(): Map<string, Subscription[]> {
    return Map.groupBy(this.#db.select().from(subscriptions).all(), ({ customerId }) => customerId)
  }

  /** Each customer with the subscriptions that were last read, in no order. */
  everySubscription(): [Customer, Subscription[]][] {
    const byCustomer = this.subscriptions()
    return this.list().map(customer => [customer, byCustomer.get(customer.customerId) ?? []])
  }

  /**
   * The account's customer, made at Stripe the first time, and anew when Stripe has it no more. Throws `customer-gone`
   * where Stripe does not know it and something of it goes on as far as anybody knows: the right key may come back.
   */
  async ensure(account: { id: string; email: string }): Promise<string> {
    const known = this.of(account.id)
    if (!known) return this.#remember(await this.#stripe.createCustomer(account), account.id, account.email)
    const { customerId } = known
    const { state } = await this.#stripe.customer(customerId)
    if (state === 'known') return customerId
    if (state === 'unknown' && this.subscriptionsOf(account.id).some(({ endedAt }) => endedAt === null))
      throw customerGone('Tell the operator. What you have here is left as it is, and nothing was ordered.')
    const anew = await this.#stripe.createCustomer(account)
    this.#db.transaction(tx => {
      // What was read of the old one nobody will ever read again.
      tx.delete(subscriptions).where(eq(subscriptions.customerId, customerId)).run()
      tx.update(customers)
        .set({ customerId: anew, syncedEmail: account.email, readAt: null, error: null })
        .where(eq(customers.customerId, customerId))
        .run()
    })
    return anew
  }

  /**
   * Reads a customer's subscriptions from Stripe and keeps them. Returns the account; null for a customer that is none
   * of ours. One reading of a customer at a time: an older answer never takes the place of a newer one.
   */
  read(customerId: string, signal?: AbortSignal): Promise<string | null> {
    return this.#inTurn(customerId, () => this.#read(customerId, signal))
  }

  /** Records the email address that Stripe has now; null forgets it. */
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

  /** A customer that was deleted has none. One that Stripe never had says nothing: the key may be of another account. */
  async #found(customerId: string, signal?: AbortSignal): Promise<StripeSubscription[]> {
    try {
      return await this.#stripe.subscriptionsOf(customerId, signal)
    } catch (error) {
      if (!(error instanceof StripeFailure && error.missing)) throw error
      const { state } = await this.#stripe.customer(customerId)
      if (state === 'deleted') return []
      if (state === 'known') throw error
      throw new StripeFailure(
        `Stripe does not know ${customerId}: is STRIPE_SECRET_KEY of another account than before?`,
        { permanent: true, missing: true, cause: error },
      )
    }
  }

  /** By our own record, or else by what the customer carries at Stripe: a lost record is found again from there. */
  async #accountOf(customerId: string): Promise<string | null> {
    const known = this.#db.select().from(customers).where(eq(customers.customerId, customerId)).get()
    if (known) return known.accountId
    const found = await this.#stripe.customer(customerId)
    const accountId = found.state === 'known' ? found.accountId : null
    if (accountId === null || !this.#accounts.get(accountId)) return null
    // An account has one customer. Another that names it was not made here.
    return this.#remember(customerId, accountId) === customerId ? accountId : null
  }

  #remember(customerId: string, accountId: string, syncedEmail: string | null = null): string {
    const { live } = this.#stripe
    const row = { customerId, accountId, live, syncedEmail, createdAt: this.#clock.now() }
    this.#db.insert(customers).values(row).onConflictDoNothing().run()
    return this.of(accountId)?.customerId ?? customerId
  }
}
