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
    202: { description: 'The work has started', schema: ownedInstanceSchema },
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
    work('start', 'start', 'Start an instance'),
    work('stop', 'stop', 'Stop an instance; its data is kept'),
    work('restart', 'restart', 'Restart an instance'),
    work('remove', 'deprovision', 'Remove an instance; its data and name are kept for a while'),
    route({
      method: 'post',
      path: '/instances/{subdomain}/restore',
      summary: 'Restore a removed instance, with its data and password',
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
      summary: 'Reset an instance’s password; ends its sessions, and restarts it if it runs',
      guard,
      params: named,
      body: nothing,
      answers: {
        202: {
          description: 'The work has started. The password is shown only in this answer',
          schema: withPassword,
        },
      },
      handle: async (c, { params }) => {
        const own = ownInstances(parts, c)
        const password = await own.resetPassword(params.subdomain)
        const instance = own.find(params.subdomain)
        if (!wantsPage(c)) return c.json({ ...wireOwnedInstance(instance), password }, 202)
        const props = { instance, password, now: clock.now() }
        const page = <PasswordPage {...props} {...endings(parts, c)} />
        return c.render(page, ownerFrame('/instances', instance.subdomain))
      },
    }),
    route({
      method: 'post',
      path: '/instances/{subdomain}/claim',
      summary: 'Claim an instance that the operator created for your email address',
      guard,
      params: named,
      body: nothing,
      answers: {
        200: { description: 'The instance is yours', schema: ownedInstanceSchema },
        303: { description: 'For a browser: redirects to the instance' },
      },
      handle: (c, { params }) => {
        ownInstances(parts, c).claim(params.subdomain)
        return answer(c, params.subdomain, 200)
      },
    }),
  ]
}
