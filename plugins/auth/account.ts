import { and, asc, eq, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { newId } from '../../src/ids.ts'
import type { Db } from '../../src/storage/database.ts'
import type { Account, AccountDirectory, Identity } from './contract.ts'
import type * as schema from './schema.ts'
import { accountSessions, accounts } from './schema.ts'

export type AuthDb = Db<typeof schema>

/** How long a deleted account's owner is remembered at least. They are remembered longer while data is kept for them. */
const rememberedMs = 90 * 24 * 3_600_000

export interface AccountBook extends AccountDirectory {
  /**
   * Returns the account of this identity. Creates it at the first sign-in, reopens it when it was closed, and updates the
   * email address and name.
   */
  admit(identity: Identity): {
    account: Account
    how: 'created' | 'reopened' | 'known'
    emailChanged: boolean
  }
  /** Erases personal data of accounts that have been closed for 90 days, except where `keeps` is true. */
  erase(keeps: (accountId: string) => boolean): void
}

export function accountBook(db: AuthDb, clock: Clock): AccountBook {
  const bySubject = ({ issuer, subject }: Identity) =>
    and(eq(accounts.issuer, issuer), eq(accounts.subject, subject))

  return {
    get: id => {
      const row = db.select().from(accounts).where(eq(accounts.id, id)).get()
      return row ? publicAccount(row) : null
    },
    byEmail: email =>
      db
        .select()
        .from(accounts)
        .where(and(eq(sql`lower(${accounts.email})`, email.toLowerCase()), isNull(accounts.closedAt)))
        .all()
        .map(publicAccount),
    list: () => db.select().from(accounts).orderBy(asc(accounts.createdAt)).all().map(publicAccount),

    admit: identity =>
      db.transaction(tx => {
        const now = clock.now()
        const { email, name } = identity
        const known = tx.select().from(accounts).where(bySubject(identity)).get()
        if (!known) {
          const id = newId('acct', now)
          const row = { ...identity, id, createdAt: now, lastSignInAt: now }
          const made = tx.insert(accounts).values(row).returning().get()
          return { account: publicAccount(made), how: 'created', emailChanged: false } as const
        }
        const change = { email, name, lastSignInAt: now, closedAt: null }
        const after = tx.update(accounts).set(change).where(eq(accounts.id, known.id)).returning().get()
        return {
          account: publicAccount(after),
          how: known.closedAt === null ? 'known' : 'reopened',
          emailChanged: known.email !== email,
        } as const
      }),

    close: id =>
      db.transaction(tx => {
        tx.delete(accountSessions).where(eq(accountSessions.accountId, id)).run()
        const open = and(eq(accounts.id, id), isNull(accounts.closedAt))
        return tx.update(accounts).set({ closedAt: clock.now() }).where(open).run().changes > 0
      }),

    erase: keeps => {
      const now = clock.now()
      const due = and(
        isNotNull(accounts.closedAt),
        lt(accounts.closedAt, now - rememberedMs),
        isNull(accounts.erasedAt),
      )
      for (const { id } of db.select({ id: accounts.id }).from(accounts).where(due).all()) {
        if (keeps(id)) continue
        db.update(accounts)
          .set({ subject: sql`'erased ' || ${accounts.id}`, email: '', name: null, erasedAt: now })
          .where(and(eq(accounts.id, id), due))
          .run()
      }
    },
  }
}

function publicAccount(row: typeof accounts.$inferSelect): Account {
  const { id, issuer, email, name, createdAt, closedAt } = row
  return { id, issuer, email, name, createdAt, closedAt }
}
