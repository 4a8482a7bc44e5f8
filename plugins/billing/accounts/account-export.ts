import { eq, inArray } from 'drizzle-orm'
import { timestamp } from '../../../src/clock.ts'
import { customers, exemptions, subscriptions, trials } from '../schema.ts'
import type { BillingDb } from '../stripe/customers.ts'

/** What billing stores about an account, for its owner's export. Cards and invoices are at Stripe. */
export function accountExport(db: BillingDb, accountId: string) {
  const trial = db.select().from(trials).where(eq(trials.accountId, accountId)).get()
  const mine = db.select().from(customers).where(eq(customers.accountId, accountId)).all()
  const ids = mine.map(({ customerId }) => customerId)
  return {
    trial: trial ? { started_at: timestamp(trial.startedAt), ends_at: timestamp(trial.endsAt) } : null,
    exemptions: db
      .select()
      .from(exemptions)
      .where(eq(exemptions.accountId, accountId))
      .all()
      .map(each => ({
        ...{ plan: each.planId, why: each.why, by: each.by, since: timestamp(each.since) },
        ...{ ended_at: timestamp(each.endedAt), ended_by: each.endedBy, ended_why: each.endedWhy },
      })),
    stripe_customers: ids,
    subscriptions: db
      .select()
      .from(subscriptions)
      .where(inArray(subscriptions.customerId, ids))
      .all()
      .map(({ id, status, priceId, items, createdAt, endedAt }) => ({
        id,
        status,
        price: priceId,
        items: (items ?? []).map(({ priceId: price, quantity }) => ({ price, quantity })),
        created_at: timestamp(createdAt),
        ended_at: timestamp(endedAt),
      })),
  }
}
