import { and, desc, eq, lt, or } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import type { Db } from '../../src/storage/database.ts'
import { unlessFull } from '../../src/storage/disk.ts'
import { unknownSession } from './problems.ts'
import { sessions } from './schema.ts'

const idleMs = 12 * 3_600_000
export const longestMs = 7 * 24 * 3_600_000
const refreshMs = 10 * 60_000

/** A browser in which an operator is signed in with the admin token. */
export interface AdminSession {
  /** Identifies it on pages; grants no access. */
  id: string
  createdAt: number
  lastSeenAt: number
  address: string | null
  browser: string | null
}

export interface AdminSessions {
  /** Starts a session and returns the secret for the browser's cookie. */
  begin(from: { address: string; browser: string }): string
  /** The sessions that are valid, newest first. */
  list(): AdminSession[]
  /** The id of the session with this secret. */
  idOf(secret: string): string
  /** Ends a session, with `record` in the same transaction. Throws `unknown-session`. */
  revoke(id: string, record: () => void): void
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
  /** The database knows a session by the hash of its secret, which is not shown. */
  const idOfHash = (secretHash: string) => `sess_${hashSecret(secretHash).slice(0, 22)}`
  const isValid = ({ createdAt, lastSeenAt }: { createdAt: number; lastSeenAt: number }, now: number) =>
    now < createdAt + longestMs && now < lastSeenAt + idleMs
  const rows = () => {
    const now = clock.now()
    const ours = eq(sessions.tokenHash, tokenHash)
    const found = db.select().from(sessions).where(ours).orderBy(desc(sessions.createdAt)).all()
    return found.filter(each => isValid(each, now))
  }
  return {
    list: () =>
      rows().map(({ secretHash, createdAt, lastSeenAt, address, browser }) => ({
        ...{ id: idOfHash(secretHash), createdAt, lastSeenAt, address, browser },
      })),
    idOf: secret => idOfHash(hashSecret(secret)),
    revoke: (id, record) =>
      db.transaction(tx => {
        const found = rows().find(({ secretHash }) => idOfHash(secretHash) === id)
        if (!found) throw unknownSession('There is no session with this id. It may have ended by itself.')
        tx.delete(sessions).where(eq(sessions.secretHash, found.secretHash)).run()
        record()
      }),
    begin: ({ address, browser }) => {
      const secret = newSecret()
      const now = clock.now()
      db.insert(sessions)
        .values({
          ...{ secretHash: hashSecret(secret), tokenHash, createdAt: now, lastSeenAt: now },
          ...{ address, browser: browser.slice(0, 300) },
        })
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
      if (!session || !isValid(session, now)) return false
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
