import { eq } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { serialByKey } from '../../../src/concurrency.ts'
import { type Dispute, disputes } from '../schema.ts'
import type { BillingDb } from './customers.ts'
import type { StripeAccess } from './stripe.ts'

const day = 86_400_000
/** Longer than a bank takes to decide. */
const rememberedMs = 180 * day

/** Disputes: payments that cardholders' banks want back. Stripe's list is read whole, because an event only says that it changed. */
export function openDisputes({ db, stripe, clock }: { db: BillingDb; stripe: StripeAccess; clock: Clock }) {
  const serial = serialByKey()
  const ofMode = eq(disputes.live, stripe.live)
  return {
    read: (signal: AbortSignal): Promise<void> =>
      serial('all', async () => {
        const found = await stripe.disputes(clock.now() - rememberedMs, signal)
        db.transaction(tx => {
          tx.delete(disputes).where(ofMode).run()
          for (const each of found)
            tx.insert(disputes)
              .values({ ...each, live: stripe.live })
              .run()
        })
      }),

    /** As they were when last read. */
    list: (): Dispute[] => db.select().from(disputes).where(ofMode).all(),
  }
}

export type Disputes = ReturnType<typeof openDisputes>
