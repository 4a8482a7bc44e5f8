import { eq } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import type { State } from '../contract.ts'
import { assess, type Standing, type Terms } from '../rules/standing.ts'
import { type Customer, standings } from '../schema.ts'
import type { BillingDb, Customers } from '../stripe/customers.ts'
import type { Exemptions } from './exemption.ts'
import type { Trials } from './trial.ts'

export interface AccountStanding extends Standing {
  /** The state before; null at the first assessment. */
  previous: State | null
}

/** The billing states of accounts, from what was last read from Stripe. Changes are stored with their time. */
export function openStandings(parts: {
  db: BillingDb
  clock: Clock
  customers: Customers
  trials: Trials
  exemptions: Exemptions
  terms: Terms
}) {
  const { db, clock, customers, trials, exemptions, terms } = parts
  const look = (accountId: string): { standing: AccountStanding; changed: boolean } => {
    const before = db.select().from(standings).where(eq(standings.accountId, accountId)).get() ?? null
    const facts = {
      trialEndsAt: trials.endsAt(accountId),
      subscriptions: customers.subscriptionsOf(accountId),
      exemption: exemptions.factOf(accountId),
      before,
    }
    const standing = assess(facts, terms, clock.now())
    if (before?.state === standing.state) {
      return { standing: { ...standing, previous: before.previous }, changed: false }
    }
    // Reading an account that has neither trial nor plan stores nothing.
    const changed = before !== null || standing.state !== 'free'
    return { standing: { ...standing, previous: before?.state ?? null }, changed }
  }

  return {
    /** Assesses an account without storing the result. */
    peek: (accountId: string): AccountStanding => look(accountId).standing,
    /** Assesses an account, and stores a state that has changed. */
    of: (accountId: string): AccountStanding => {
      const { standing, changed } = look(accountId)
      if (!changed) return standing
      const { state, since, previous } = standing
      const row = { accountId, state, since, previous }
      db.insert(standings).values(row).onConflictDoUpdate({ target: standings.accountId, set: row }).run()
      return standing
    },
    /** Every account that billing applies to. */
    accounts: (): string[] => [
      ...new Set([
        ...trials.all().keys(),
        ...customers.list().map(({ accountId }) => accountId),
        ...exemptions.facts().keys(),
      ]),
    ],
    /** Assesses all of them at once, without storing the results. */
    all: (): { accountId: string; standing: Standing; customer: Customer | null }[] => {
      const endsAt = trials.all()
      const exempted = exemptions.facts()
      const customerOf = new Map(customers.list().map(each => [each.accountId, each]))
      const subscriptionsOf = customers.subscriptions()
      const before = new Map(
        db
          .select()
          .from(standings)
          .all()
          .map(each => [each.accountId, each]),
      )
      return [...new Set([...endsAt.keys(), ...customerOf.keys(), ...exempted.keys()])].map(accountId => {
        const customer = customerOf.get(accountId) ?? null
        const facts = {
          trialEndsAt: endsAt.get(accountId) ?? null,
          subscriptions: (customer && subscriptionsOf.get(customer.customerId)) ?? [],
          exemption: exempted.get(accountId),
          before: before.get(accountId) ?? null,
        }
        return { accountId, standing: assess(facts, terms, clock.now()), customer }
      })
    },
  }
}

export type Standings = ReturnType<typeof openStandings>
