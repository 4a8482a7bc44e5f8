import { and, desc, eq, isNotNull, lt, ne, or } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { AppContext } from '../../src/http/route.ts'
import { hashSecret, newSecret, type SessionCookie } from '../../src/http/session-cookie.ts'
import type { Db } from '../../src/storage/database.ts'
import { unlessFull } from '../../src/storage/disk.ts'
import type { AuthService, OperatorSession } from './contract.ts'
import { unknownSession } from './problems.ts'
import { sessions } from './schema.ts'

const idleMs = 12 * 3_600_000
export const longestMs = 7 * 24 * 3_600_000
const refreshMs = 10 * 60_000

export interface OperatorSessions {
  /** Starts a session, of an operator or of the admin token (null), and returns the secret for the browser's cookie. */
  begin(from: { operatorId: string | null; address: string; browser: string }): string
  /** The sessions that are valid, newest first: all of them, or one operator's. */
  list(operatorId?: string): OperatorSession[]
  /** The id of the session with this secret. */
  idOf(secret: string): string
  /**
   * Ends a session, if given one operator's only, with `record` in the same transaction. Throws `unknown-session`.
   */
  revoke(id: string, record: () => void, operatorId?: string): void
  /**
   * Finds the session with this secret and extends it: it is valid for 12 hours after its last use, 7 days at most, and one
   * of the admin token only while the token is the same. Null without one.
   */
  find(secret: string): OperatorSession | null
  end(secret: string): void
  /** Ends all sessions of an operator, except the one with this id. */
  endAll(operatorId: string, exceptId?: string): void
  /** Deletes expired sessions. */
  prune(): void
}

export function operatorSessions(
  db: Db<{ sessions: typeof sessions }>,
  clock: Clock,
  tokenHash: string,
): OperatorSessions {
  type Row = typeof sessions.$inferSelect
  /** The database knows a session by the hash of its secret, which is not shown. */
  const idOfHash = (secretHash: string) => `sess_${hashSecret(secretHash).slice(0, 22)}`
  const isValid = ({ createdAt, lastSeenAt }: Row, now: number) =>
    now < createdAt + longestMs && now < lastSeenAt + idleMs
  const ours = or(eq(sessions.tokenHash, tokenHash), isNotNull(sessions.operatorId))
  const rows = (operatorId?: string) => {
    const now = clock.now()
    const theirs = operatorId === undefined ? ours : eq(sessions.operatorId, operatorId)
    const found = db.select().from(sessions).where(theirs).orderBy(desc(sessions.createdAt)).all()
    return found.filter(each => isValid(each, now))
  }
  const view = ({ secretHash, tokenHash: _, ...rest }: Row): OperatorSession => ({
    id: idOfHash(secretHash),
    ...rest,
  })
  return {
    list: operatorId => rows(operatorId).map(view),
    idOf: secret => idOfHash(hashSecret(secret)),
    revoke: (id, record, operatorId) =>
      db.transaction(tx => {
        const found = rows(operatorId).find(({ secretHash }) => idOfHash(secretHash) === id)
        if (!found) throw unknownSession('There is no session with this id. It may have ended by itself.')
        tx.delete(sessions).where(eq(sessions.secretHash, found.secretHash)).run()
        record()
      }),
    begin: ({ operatorId, address, browser }) => {
      const secret = newSecret()
      const now = clock.now()
      db.insert(sessions)
        .values({
          ...{ secretHash: hashSecret(secret), createdAt: now, lastSeenAt: now },
          // A new admin token ends no session of an operator.
          ...{ operatorId, tokenHash: operatorId === null ? tokenHash : '' },
          ...{ address, browser: browser.slice(0, 300) },
        })
        .run()
      return secret
    },
    find: secret => {
      const key = eq(sessions.secretHash, hashSecret(secret))
      const session = db.select().from(sessions).where(and(key, ours)).get()
      const now = clock.now()
      if (!session || !isValid(session, now)) return null
      if (now >= session.lastSeenAt + refreshMs)
        unlessFull(() => db.update(sessions).set({ lastSeenAt: now }).where(key).run())
      return view(session)
    },
    end: secret => {
      db.delete(sessions)
        .where(eq(sessions.secretHash, hashSecret(secret)))
        .run()
    },
    endAll: (operatorId, exceptId) => {
      const kept = rows(operatorId).find(({ secretHash }) => idOfHash(secretHash) === exceptId)
      const theirs = eq(sessions.operatorId, operatorId)
      db.delete(sessions)
        .where(kept ? and(theirs, ne(sessions.secretHash, kept.secretHash)) : theirs)
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

/** The operators' sessions, as other plugins see them. */
export function operatorSessionService(
  { sessions, cookie }: { sessions: OperatorSessions; cookie: SessionCookie },
  { begin }: { begin(c: AppContext, operatorId: string): void },
  changed: AuthService['accessChanged'],
): AuthService['operatorSessions'] {
  return {
    begin,
    of: sessions.list,
    current: c => {
      const secret = cookie.read(c)
      return secret === undefined ? null : sessions.idOf(secret)
    },
    end: (operatorId, id) =>
      sessions.revoke(id, () => changed({ change: 'end-session', target: id }), operatorId),
    endAll: sessions.endAll,
  }
}
