import { z } from 'zod'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { PasswordPage } from '../../views/owner/password-page.tsx'
import { endings, type OwnerParts, ownInstances } from './parts.ts'
import { ownedInstanceSchema, wireOwnedInstance, withPassword } from './wire.ts'

const named = z.object({ subdomain: z.string() })
const nothing = z.object({})

/** What an owner can do with an instance. Each call starts the work and does not wait for it. */
export function instanceWorkRoutes(parts: OwnerParts): Route[] {
  const { auth, clock } = parts
  const guard = auth.account

  const begun = {
    202: { description: 'Work has begun', schema: ownedInstanceSchema },
    303: { description: 'For a browser: back to the page' },
  }
  const answer = (c: AppContext, subdomain: string, status: 200 | 202 = 202) =>
    wantsPage(c)
      ? c.redirect(`/instances/${encodeURIComponent(subdomain)}`, 303)
      : c.json(wireOwnedInstance(ownInstances(parts, c).find(subdomain)), status)

  const work = (verb: string, kind: 'start' | 'stop' | 'restart' | 'deprovision', summary: string) =>
    route({
      method: 'post',
      path: `/instances/{subdomain}/${verb}`,
      summary,
      guard,
      params: named,
      body: nothing,
      answers: begun,
      handle: (c, { params }) => {
        ownInstances(parts, c).request(params.subdomain, kind)
        return answer(c, params.subdomain)
      },
    })

  return [
    work('start', 'start', 'Start it'),
    work('stop', 'stop', 'Stop it; its data stays'),
    work('restart', 'restart', 'Stop it and start it again'),
    work('remove', 'deprovision', 'Remove it; its data and its name are kept for you for a while'),
    route({
      method: 'post',
      path: '/instances/{subdomain}/restore',
      summary: 'Undo its removal: same data, same password',
      guard,
      params: named,
      body: nothing,
      answers: begun,
      handle: (c, { params }) => {
        ownInstances(parts, c).restore(params.subdomain)
        return answer(c, params.subdomain)
      },
    }),
    route({
      method: 'post',
      path: '/instances/{subdomain}/reset-password',
      summary: 'Give it another password, which ends the sessions of the old one; it restarts when it runs',
      guard,
      params: named,
      body: nothing,
      answers: {
        202: { description: 'Begun. The password is told here, and never again', schema: withPassword },
      },
      handle: async (c, { params }) => {
        const own = ownInstances(parts, c)
        const password = await own.resetPassword(params.subdomain)
        const instance = own.find(params.subdomain)
        if (!wantsPage(c)) return c.json({ ...wireOwnedInstance(instance), password }, 202)
        const told = { instance, password, now: clock.now() }
        const page = <PasswordPage {...told} {...endings(parts, c)} />
        return c.render(page, ownerFrame('/instances', instance.subdomain))
      },
    }),
    route({
      method: 'post',
      path: '/instances/{subdomain}/claim',
      summary: 'Take an instance into your account that the operator made for your email address',
      guard,
      params: named,
      body: nothing,
      answers: {
        200: { description: 'It is yours', schema: ownedInstanceSchema },
        303: { description: 'For a browser: to the instance' },
      },
      handle: (c, { params }) => {
        ownInstances(parts, c).claim(params.subdomain)
        return answer(c, params.subdomain, 200)
      },
    }),
  ]
}
