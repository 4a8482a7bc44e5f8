import { and, desc, eq, lte, ne, or } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import { newId } from '../../src/ids.ts'
import { unlessFull } from '../../src/storage/disk.ts'
import type { AuthDb } from './account.ts'
import type { AccountSession } from './contract.ts'
import { accountSessions } from './schema.ts'

const day = 24 * 3_600_000

/** How long an owner's session lasts without use and at most, and how often its expiry is extended. */
const accountSessionLife = { idleMs: 14 * day, longestMs: 60 * day, refreshMs: 3_600_000 }

export interface FoundSession extends AccountSession {
  accountId: string
  /** How long the browser may keep the cookie from now on (ms), when that has just changed; else null. */
  renewedMs: number | null
}

export interface AccountSessions {
  /** Starts a session. Returns the secret for the browser's cookie, and how long the browser may keep it (ms). */
  begin(accountId: string, browser: string): { secret: string; keepMs: number }
  /** Finds and extends a session. Null when there is none, or it has expired. */
  find(secret: string): FoundSession | null
  /** An account's sessions that have not expired, newest first. */
  of(accountId: string): AccountSession[]
  /** Ends the session with this secret. */
  end(secret: string): void
  /** Ends one session of an account. Returns false when the account has none with this id. */
  revoke(accountId: string, id: string): boolean
  /** Ends every session of an account except one. */
  revokeOthers(accountId: string, id: string): void
  /** Deletes expired sessions. */
  prune(): void
}

export function accountSessionStore(db: AuthDb, clock: Clock): AccountSessions {
  const { idleMs, longestMs, refreshMs } = accountSessionLife
  // Not the hash: what is shown of a session must not grant access.
  const { id, browser, createdAt, lastSeenAt } = accountSessions
  const isLive = (session: AccountSession, now: number) =>
    now < session.createdAt + longestMs && now < session.lastSeenAt + idleMs

  return {
    begin: (accountId, browser) => {
      const secret = newSecret()
      const now = clock.now()
      db.insert(accountSessions)
        .values({
          id: newId('sess', now),
          secretHash: hashSecret(secret),
          accountId,
          browser: browser.slice(0, 300),
          createdAt: now,
          lastSeenAt: now,
        })
        .run()
      return { secret, keepMs: idleMs }
    },
    find: secret => {
      const key = eq(accountSessions.secretHash, hashSecret(secret))
      const found = db.select().from(accountSessions).where(key).get()
      const now = clock.now()
      if (!found || !isLive(found, now)) return null
      if (now < found.lastSeenAt + refreshMs) return { ...found, renewedMs: null }
      const renewed = unlessFull(() => db.update(accountSessions).set({ lastSeenAt: now }).where(key).run())
      if (!renewed) return { ...found, renewedMs: null }
      return { ...found, lastSeenAt: now, renewedMs: Math.min(idleMs, found.createdAt + longestMs - now) }
    },
    of: accountId => {
      const now = clock.now()
      return db
        .select({ id, browser, createdAt, lastSeenAt })
        .from(accountSessions)
        .where(eq(accountSessions.accountId, accountId))
        .orderBy(desc(accountSessions.createdAt))
        .all()
        .filter(each => isLive(each, now))
    },
    end: secret => {
      db.delete(accountSessions)
        .where(eq(accountSessions.secretHash, hashSecret(secret)))
        .run()
    },
    revoke: (accountId, id) => {
      const theirs = and(eq(accountSessions.id, id), eq(accountSessions.accountId, accountId))
      return db.delete(accountSessions).where(theirs).run().changes > 0
    },
    revokeOthers: (accountId, id) => {
      const others = and(eq(accountSessions.accountId, accountId), ne(accountSessions.id, id))
      db.delete(accountSessions).where(others).run()
    },
    prune: () => {
      const now = clock.now()
      const over = or(
        lte(accountSessions.createdAt, now - longestMs),
        lte(accountSessions.lastSeenAt, now - idleMs),
      )
      db.delete(accountSessions).where(over).run()
    },
  }
}
