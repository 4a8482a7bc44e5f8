import { and, asc, eq, isNull } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { newId } from '../../../src/ids.ts'
import type { Facts } from '../rules/standing.ts'
import { type Exemption, exemptions } from '../schema.ts'
import type { BillingDb } from '../stripe/customers.ts'

/** Accounts that the operator exempts from payment: friends, their own company, customers who pay by invoice. */
export function openExemptions(db: BillingDb, clock: Clock) {
  const open = (accountId: string) => and(eq(exemptions.accountId, accountId), isNull(exemptions.endedAt))
  const oldestFirst = [asc(exemptions.since), asc(exemptions.id)]
  const all = () =>
    db
      .select()
      .from(exemptions)
      .orderBy(...oldestFirst)
      .all()
  const history = (accountId: string): Exemption[] =>
    db
      .select()
      .from(exemptions)
      .where(eq(exemptions.accountId, accountId))
      .orderBy(...oldestFirst)
      .all()
  return {
    /** The active exemption; null when there is none. */
    of: (accountId: string): Exemption | null =>
      db.select().from(exemptions).where(open(accountId)).get() ?? null,
    /** All exemptions of an account, oldest first, with the active one. */
    history,
    /** The fact that an assessment needs, by account. */
    facts: (): Map<string, Facts['exemption']> =>
      new Map(all().map(({ accountId, endedAt }) => [accountId, endedAt === null ? 'active' : { endedAt }])),
    factOf: (accountId: string): Facts['exemption'] => {
      const last = history(accountId).at(-1)
      return last && (last.endedAt === null ? 'active' : { endedAt: last.endedAt })
    },
    /** Returns false when the account already has one. */
    begin: (accountId: string, { planId, why, by }: Pick<Exemption, 'planId' | 'why' | 'by'>): boolean => {
      const since = clock.now()
      const row = { id: newId('exm', since), accountId, planId, why, by, since }
      return db.insert(exemptions).values(row).onConflictDoNothing().run().changes > 0
    },
    /** Returns false when the account has none. */
    end: (accountId: string, { why, by }: Pick<Exemption, 'why' | 'by'>): boolean =>
      db
        .update(exemptions)
        .set({ endedAt: clock.now(), endedBy: by, endedWhy: why })
        .where(open(accountId))
        .run().changes > 0,
  }
}

export type Exemptions = ReturnType<typeof openExemptions>
