import { and, eq, gt, lte, or } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { Actor } from '../../src/http/route.ts'
import { hashSecret, newSecret } from '../../src/http/session-cookie.ts'
import type { Db } from '../../src/storage/database.ts'
import { owner } from './contract.ts'
import type * as schema from './schema.ts'
import { sessions } from './schema.ts'

const hour = 3_600_000
const day = 24 * hour

/**
 * How long an unused session lives, how long any session lives, and how often its expiry is extended; in
 * milliseconds.
 */
const sessionLife = { idleMs: 30 * day, absoluteMs: 90 * day, refreshEveryMs: hour }

export interface LiveSession {
  /** Milliseconds for which the browser may keep the cookie from now on. */
  keepMs: number
  /** True if the expiry was just extended, so that the cookie has to be set again. */
  refreshed: boolean
  /** How the session was started. */
  via: 'password' | 'sso'
  /** The account that the control plane signed in; null for a sign-in with the password. */
  email: string | null
}

/** The owner of this session, as the audit log and commits name them. */
export function actorOf({ email }: Pick<LiveSession, 'email'>): Actor {
  return email === null ? owner : { kind: 'session', name: email, email }
}

/** Sessions of browsers. Secrets are stored as hashes only. */
export function sessionStore(db: Db<typeof schema>, clock: Clock) {
  const isLive = (now: number) =>
    and(
      gt(sessions.refreshedAt, now - sessionLife.idleMs),
      gt(sessions.createdAt, now - sessionLife.absoluteMs),
    )
  const keepMs = (createdAt: number, now: number) =>
    Math.min(sessionLife.idleMs, createdAt + sessionLife.absoluteMs - now)

  return {
    /** Starts a session and returns its secret. Deletes expired sessions on the way. */
    open(via: 'password' | 'sso', email: string | null = null): { secret: string } & LiveSession {
      const now = clock.now()
      const secret = newSecret()
      db.delete(sessions)
        .where(
          or(
            lte(sessions.refreshedAt, now - sessionLife.idleMs),
            lte(sessions.createdAt, now - sessionLife.absoluteMs),
          ),
        )
        .run()
      db.insert(sessions)
        .values({ hash: hashSecret(secret), createdAt: now, refreshedAt: now, via, email })
        .run()
      return { secret, keepMs: keepMs(now, now), refreshed: true, via, email }
    },

    /** Finds a session and extends it; null if there is none, or it has expired. */
    find(secret: string): LiveSession | null {
      const now = clock.now()
      const hash = hashSecret(secret)
      const found = db
        .select()
        .from(sessions)
        .where(and(eq(sessions.hash, hash), isLive(now)))
        .get()
      if (!found) return null
      const refreshed = now - found.refreshedAt >= sessionLife.refreshEveryMs
      if (refreshed) db.update(sessions).set({ refreshedAt: now }).where(eq(sessions.hash, hash)).run()
      return { keepMs: keepMs(found.createdAt, now), refreshed, via: found.via, email: found.email }
    },

    close(secret: string): void {
      db.delete(sessions)
        .where(eq(sessions.hash, hashSecret(secret)))
        .run()
    },
  }
}

export type SessionStore = ReturnType<typeof sessionStore>
