import { and, eq, lt, or } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import type { Db } from '../../src/storage/database.ts'
import { unlessFull } from '../../src/storage/disk.ts'
import { sessions } from './schema.ts'

const idleMs = 12 * 3_600_000
export const longestMs = 7 * 24 * 3_600_000
const refreshMs = 10 * 60_000

export interface AdminSessions {
  /** Starts a session and returns the secret for the browser's cookie. */
  begin(): string
  /** Whether the session is valid: for 12 hours after its last use, 7 days at most, and only with the same token. */
  isLive(secret: string): boolean
  end(secret: string): void
  /** Deletes expired sessions. */
  prune(): void
}

export function adminSessions(
  db: Db<{ sessions: typeof sessions }>,
  clock: Clock,
  tokenHash: string,
): AdminSessions {
  return {
    begin: () => {
      const secret = newSecret()
      const now = clock.now()
      db.insert(sessions)
        .values({ secretHash: hashSecret(secret), tokenHash, createdAt: now, lastSeenAt: now })
        .run()
      return secret
    },
    isLive: secret => {
      const key = eq(sessions.secretHash, hashSecret(secret))
      const session = db
        .select()
        .from(sessions)
        .where(and(key, eq(sessions.tokenHash, tokenHash)))
        .get()
      const now = clock.now()
      if (!session || now >= session.createdAt + longestMs || now >= session.lastSeenAt + idleMs) return false
      if (now >= session.lastSeenAt + refreshMs)
        unlessFull(() => db.update(sessions).set({ lastSeenAt: now }).where(key).run())
      return true
    },
    end: secret => {
      db.delete(sessions)
        .where(eq(sessions.secretHash, hashSecret(secret)))
        .run()
    },
    prune: () => {
      const now = clock.now()
      db.delete(sessions)
        .where(or(lt(sessions.createdAt, now - longestMs), lt(sessions.lastSeenAt, now - idleMs)))
        .run()
    },
  }
}
