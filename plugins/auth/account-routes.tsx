import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { AccountPage } from '../../views/auth/account-page.tsx'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import type { AccountAccess } from './account-guard.ts'
import type { AccountSessions } from './account-session.ts'
import { unknownSession } from './problems.ts'

const time = z.iso.datetime()

const accountSchema = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  provider: z.string().meta({ description: 'The issuer of the sign-in' }),
  created_at: time,
})

const sessionSchema = z.object({
  id: z.string(),
  browser: z.string(),
  created_at: time,
  last_seen_at: time,
  current: z.boolean(),
})

/** An owner's account and its sessions. */
export function accountRoutes(parts: {
  access: AccountAccess
  sessions: AccountSessions
  clock: Clock
  /** The provider's name, for people; null when none is set up any more. */
  provider: string | null
}): Route[] {
  const { access, sessions, clock, provider } = parts
  const { guard } = access
  const listed = (c: AppContext) =>
    sessions
      .of(access.accountOf(c).id)
      .map(each => ({ ...each, current: each.id === access.sessionOf(c).id }))

  const revoke = (c: AppContext, id: string) => {
    if (!sessions.revoke(access.accountOf(c).id, id)) {
      throw unknownSession('You have no session with this id. It may have ended by itself.')
    }
    return wantsPage(c) ? c.redirect('/account', 303) : c.body(null, 204)
  }
  const gone = {
    204: { description: 'The session has ended' },
    303: { description: 'For a browser: back to the page' },
  }

  return [
    route({
      method: 'get',
      path: '/account',
      summary: 'Your account',
      guard,
      answers: { 200: { description: 'The account', schema: accountSchema } },
      handle: c => {
        const account = access.accountOf(c)
        if (wantsPage(c)) {
          const props = {
            account,
            sessions: listed(c),
            now: clock.now(),
            provider: provider ?? account.issuer,
          }
          return c.render(<AccountPage {...props} />, ownerFrame('/account', 'Account'))
        }
        const { id, email, name, issuer, createdAt } = account
        return c.json({ id, email, name, provider: issuer, created_at: timestamp(createdAt) })
      },
    }),
    route({
      method: 'get',
      path: '/account/sessions',
      summary: 'Your sessions, newest first',
      guard,
      answers: {
        200: { description: 'The sessions', schema: z.object({ sessions: z.array(sessionSchema) }) },
      },
      handle: c => {
        if (wantsPage(c)) return c.redirect('/account', 303)
        return c.json({
          sessions: listed(c).map(({ id, browser, createdAt, lastSeenAt, current }) => ({
            id,
            browser,
            created_at: timestamp(createdAt),
            last_seen_at: timestamp(lastSeenAt),
            current,
          })),
        })
      },
    }),
    route({
      method: 'delete',
      path: '/account/sessions/{id}',
      summary: 'End one of your sessions',
      guard,
      params: z.object({ id: z.string() }),
      answers: gone,
      handle: (c, { params }) => revoke(c, params.id),
    }),
    route({
      method: 'post',
      path: '/account/sessions/{id}/end',
      summary: 'Same as DELETE, for forms',
      guard,
      params: z.object({ id: z.string() }),
      body: z.object({}),
      answers: gone,
      handle: (c, { params }) => revoke(c, params.id),
    }),
    route({
      method: 'post',
      path: '/account/sessions/end-others',
      summary: 'End all your sessions except this one',
      guard,
      body: z.object({}),
      answers: { ...gone, 204: { description: 'The other sessions have ended' } },
      handle: c => {
        sessions.revokeOthers(access.accountOf(c).id, access.sessionOf(c).id)
        return wantsPage(c) ? c.redirect('/account', 303) : c.body(null, 204)
      },
    }),
  ]
}
