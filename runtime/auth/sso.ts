import { lt } from 'drizzle-orm'
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { localPath } from '../../src/http/local-path.ts'
import { defineProblem } from '../../src/http/problem.ts'
import type { Derive, RoundTrip } from '../../src/http/round-trip.ts'
import { type AppContext, type Guard, open, type Route, route } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'
import { passwords, usedTokens } from './schema.ts'
import { actorOf, type SessionStore } from './session.ts'
import type { SsoSettings } from './settings.ts'
import type { TokenFault, tokenVerifier } from './sso-token.ts'

const notAskedFor = defineProblem('sso-not-asked-for', 400, 'This browser did not ask for it')
const tokenRefused = defineProblem('sso-refused', 403, 'The sign-in could not be verified')

/** Longer than a token is valid, clock differences included. */
const rememberedMs = 600_000

export interface SsoParts {
  db: Db<typeof schema>
  /** Null without a control plane that signs people in. */
  sso: SsoSettings | null
  instanceId: string
  /** The instance's public host; null if it is not set. */
  host: string | null
  sessions: SessionStore
  cookie: SessionCookie
  trip: RoundTrip
  /** Resolves when the password is known, and every session of the previous one has ended. */
  passwordReady: Promise<unknown>
  clock: Clock
  /** Called after each sign-in, for the audit log. */
  signedIn(c: AppContext): void
}

export interface SingleSignOn {
  routes: Route[]
  /** Extends the guard of the first page to accept a single sign-on token. */
  over(guard: Guard): Guard
}

/**
 * Single sign-on through the control plane. It starts here with a cookie in this browser: the control plane signs the
 * browser’s nonce, so a token planted in another browser is refused.
 */
export function singleSignOn(parts: SsoParts): SingleSignOn {
  const { db, sso, instanceId, host, sessions, cookie, trip, passwordReady, clock, signedIn } = parts
  let verify: ReturnType<typeof tokenVerifier> | null = null
  const verifier = async (settings: SsoSettings) => {
    // Loaded at the first single sign-on, because it would slow down every start.
    const { tokenVerifier } = await import('./sso-token.ts')
    verify ??= tokenVerifier({ sso: settings, instanceId, clock })
    return verify
  }

  /**
   * Also bound to the current password: a token signed for the previous owner is refused once the instance has a new
   * one. The hash cannot be guessed, so no token can be made in advance.
   */
  const nonceOf = async (derive: Derive): Promise<string> => {
    await passwordReady
    return derive(`nonce for ${db.select().from(passwords).get()?.hash}`)
  }

  /** Each token starts one session, even if it arrives twice at the same time. */
  const claim = (jti: string): boolean => {
    const now = clock.now()
    db.delete(usedTokens)
      .where(lt(usedTokens.usedAt, now - rememberedMs))
      .run()
    return db.insert(usedTokens).values({ jti, usedAt: now }).onConflictDoNothing().run().changes > 0
  }

  const take = async (c: AppContext, token: string): Promise<Response> => {
    c.header('Cache-Control', 'no-store')
    const begun = trip.end(c)
    if (!sso || !begun) {
      throw notAskedFor(
        'This sign-in did not start in this browser, or has been used already. Nothing was changed. Start again from the sign-in page.',
      )
    }
    const checked = await (await verifier(sso))(token, await nonceOf(begun.derive))
    if ('fault' in checked) throw tokenRefused(words[checked.fault], { cause: checked.cause })
    if (!claim(checked.jti)) throw tokenRefused(words.refused)
    const before = cookie.read(c)
    if (before) sessions.close(before)
    const { email } = checked
    const { secret, keepMs } = sessions.open('sso', email)
    cookie.write(c, secret, Math.floor(keepMs / 1000))
    c.set('actor', actorOf({ email }))
    signedIn(c)
    return c.redirect(begun.next, 303)
  }

  return {
    over: guard => ({
      schemes: guard.schemes,
      check: async (c, next) => {
        const token = c.req.query('token')
        return token === undefined ? guard.check(c, next) : take(c, token)
      },
    }),
    routes: [
      route({
        method: 'get',
        path: '/auth/sso',
        summary: 'Sign in through the control plane',
        guard: open,
        pageOnly: true,
        query: z.object({ next: z.string().optional() }),
        answers: { 303: { description: 'To the control plane, or to the sign-in page when there is none' } },
        handle: async (c, { query }) => {
          const next = localPath(query.next, '/')
          const secret = cookie.read(c)
          if (secret && sessions.find(secret)) return c.redirect(next, 303)
          if (!sso) return c.redirect(`/login?next=${encodeURIComponent(next)}`, 303)
          const nonce = await nonceOf(trip.begin(c, next))
          c.header('Cache-Control', 'no-store')
          // The cookie that was set above comes back only at the host that the browser asked for.
          const asked = c.req.header('host') ?? ''
          const back =
            asked === '' || asked.toLowerCase() === host ? '' : `&host=${encodeURIComponent(asked)}`
          return c.redirect(`${sso.issuer}/auth/bridge?instance=${instanceId}&nonce=${nonce}${back}`, 303)
        },
      }),
    ],
  }
}

const words: Readonly<Record<TokenFault, string>> = {
  refused:
    'The token is for another instance or another browser, or was used before. Nothing was changed; begin again from the sign-in page.',
  clock:
    'The token is too old: it is good for a minute. Begin again from the sign-in page; if that does not help, the clocks of the two machines differ, and the operator should know.',
  'unknown-key':
    'The control plane’s keys could not be had, so its word cannot be checked now. Try again in a minute, or use the password.',
}
