import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import { SessionsPage } from '../../views/operator/access/sessions-page.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import type { AuthService } from './contract.ts'
import type { OperatorSessions } from './session.ts'

const path = '/admin/sessions'

const sessionSchema = z.object({
  id: z.string(),
  operator: z.string().nullable().meta({ description: 'Who signed in; null for the admin token' }),
  created_at: z.iso.datetime(),
  last_seen_at: z.iso.datetime().meta({ description: 'Updated every ten minutes' }),
  address: z.string().nullable().meta({ description: 'Where the sign-in came from' }),
  browser: z.string().nullable().meta({ description: 'The User-Agent at the sign-in' }),
  current: z.boolean(),
})

/** The browsers in which operators are signed in. */
export function adminSessionRoutes(parts: {
  admin: Guard
  sessions: OperatorSessions
  cookie: SessionCookie
  clock: Clock
  changed: AuthService['accessChanged']
  /** What an operator is called; null when they have been removed. */
  operatorName(id: string): string | null
}): Route[] {
  const { admin, sessions, cookie, clock, changed, operatorName } = parts
  const spec = { guard: admin, role: 'own' } as const
  const listed = (c: AppContext) => {
    const secret = cookie.read(c)
    const own = secret === undefined ? null : sessions.idOf(secret)
    return sessions.list().flatMap(({ operatorId, ...each }) => {
      const operator = operatorId === null ? null : operatorName(operatorId)
      return operatorId !== null && operator === null ? [] : [{ ...each, operator, current: each.id === own }]
    })
  }
  const end = (method: 'post' | 'delete', path: string, summary: string) =>
    route({
      ...{ ...spec, method, path, summary },
      params: z.object({ id: z.string() }),
      ...(method === 'post' ? { body: z.object({}) } : {}),
      answers: {
        204: { description: 'The session has ended' },
        303: { description: 'For a browser: back to the page' },
      },
      handle: (c, { params: { id } }) => {
        sessions.revoke(id, () => changed({ change: 'end-session', target: id }))
        return wantsPage(c) ? c.redirect('/admin/sessions', 303) : c.body(null, 204)
      },
    })

  return [
    route({
      ...{ ...spec, method: 'get', path },
      summary: 'Browsers in which operators are signed in, newest first',
      answers: {
        200: { description: 'The sessions', schema: z.object({ sessions: z.array(sessionSchema) }) },
      },
      handle: c => {
        const found = listed(c)
        if (wantsPage(c)) {
          const page = <SessionsPage sessions={found} now={clock.now()} />
          return c.render(page, operatorFrame('Sessions', '/admin/tokens'))
        }
        return c.json({
          sessions: found.map(({ createdAt, lastSeenAt, ...each }) => ({
            ...each,
            created_at: timestamp(createdAt),
            last_seen_at: timestamp(lastSeenAt),
          })),
        })
      },
    }),
    end('delete', `${path}/{id}`, 'End a session'),
    end('post', `${path}/{id}/end`, 'Same as DELETE, for forms'),
  ]
}
