import { and, count, eq, gt, inArray, notInArray } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { standings, trials } from '../schema.ts'
import type { BillingDb } from '../stripe/customers.ts'

export interface Trials {
  /** When the account's trial ends or ended; null when it never had one. */
  endsAt(accountId: string): number | null
  /** Counts the trials in progress. A subscription ends the trial, whether or not it is paid. */
  going(): number
  /** Begins the account's one trial; false when it had one. It lasts as long as trials do, or `forMs`. */
  begin(accountId: string, forMs?: number): boolean
  /** When each account's trial ends or ended. */
  all(): Map<string, number>
}

export function openTrials(db: BillingDb, clock: Clock, lengthMs: number): Trials {
  const of = (accountId: string) => db.select().from(trials).where(eq(trials.accountId, accountId)).get()
  return {
    endsAt: accountId => of(accountId)?.endsAt ?? null,
    going: () => {
      const left = db
        .select({ id: standings.accountId })
        .from(standings)
        .where(inArray(standings.state, ['paid', 'exempt', 'grace', 'over']))
      const running = and(gt(trials.endsAt, clock.now()), notInArray(trials.accountId, left))
      return db.select({ total: count() }).from(trials).where(running).get()?.total ?? 0
    },
    begin: (accountId, forMs = lengthMs) => {
      const now = clock.now()
      const row = { accountId, startedAt: now, endsAt: now + forMs }
      return db.insert(trials).values(row).onConflictDoNothing().run().changes > 0
    },
    all: () =>
      new Map(
        db
          .select()
          .from(trials)
          .all()
          .map(({ accountId, endsAt }) => [accountId, endsAt]),
      ),
  }
}
