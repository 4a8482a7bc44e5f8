import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { hashPassword } from '../../../src/password.ts'
import { newPasswordField, operatorSchema, wireOperator } from '../wire.ts'
import { back, done, type MeParts, path, type Self, specOf } from './self.tsx'

const time = z.iso.datetime().nullable()

const meSchema = operatorSchema.extend({
  passkey_list: z.array(
    z.object({ id: z.string(), name: z.string(), created_at: z.iso.datetime(), last_used_at: time }),
  ),
  sessions: z.array(
    z.object({
      id: z.string(),
      created_at: z.iso.datetime(),
      last_seen_at: z.iso.datetime(),
      address: z.string().nullable(),
      browser: z.string().nullable(),
      current: z.boolean(),
    }),
  ),
})

/** The page, the password and the sessions. */
export function signInRoutes(parts: MeParts, { me, sessionsOf, page, again }: Self): Route[] {
  const { auth, book, passkeys } = parts
  const { spec, change } = specOf(parts)
  return [
    route({
      ...{ ...spec, method: 'get', path },
      summary: 'Your sign-in: password, second factors, sessions',
      operation: 'getAdminMe',
      answers: { 200: { description: 'Your sign-in', schema: meSchema } },
      handle: c => {
        if (wantsPage(c)) return page(c)
        const row = me(c)
        return c.json({
          ...wireOperator(book.view(row)),
          passkey_list: passkeys.list(row.id).map(({ createdAt, lastUsedAt, ...each }) => ({
            ...{ ...each, created_at: timestamp(createdAt), last_used_at: timestamp(lastUsedAt) },
          })),
          sessions: sessionsOf(c, row).map(({ id, address, browser, current, ...each }) => ({
            ...{ id, address, browser, current },
            created_at: timestamp(each.createdAt),
            last_seen_at: timestamp(each.lastSeenAt),
          })),
        })
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/password` },
      summary: 'Set your password, and end your other sessions',
      body: z.object({ password: newPasswordField }),
      answers: done('Set'),
      onInvalid: again,
      handle: async (c, { body: { password } }) => {
        const { id } = me(c)
        const hash = await hashPassword(password)
        await c.get('askAgain')()
        const row = me(c)
        book.changeSignIn(row, 'password set', () => {
          book.update(id, { passwordHash: hash })
          auth.operatorSessions.endAll(id, auth.operatorSessions.current(c) ?? undefined)
        })
        return back(c)
      },
    }),
    route({
      ...{ ...spec, method: 'post', path: `${path}/sessions/{id}/end` },
      summary: 'End one of your sessions',
      params: z.object({ id: z.string() }),
      body: z.object({}),
      answers: done('Ended'),
      handle: (c, { params }) => {
        auth.operatorSessions.end(me(c).id, params.id)
        return back(c)
      },
    }),
  ]
}
