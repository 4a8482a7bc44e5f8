import { z } from 'zod'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { requireInstance } from '../records/instance.ts'
import { named, type ProvisionerRoutes } from './answer.ts'
import { instanceSchema, wireInstance } from './wire.ts'

/** Whether billing has a say in one instance. */
export function paymentRoutes(parts: ProvisionerRoutes): Route[] {
  const { fleet, admin, ownership } = parts
  const say = (verb: string, billed: boolean, summary: string) =>
    route({
      method: 'post',
      path: `/admin/instances/{subdomain}/${verb}`,
      summary,
      guard: admin,
      role: 'own',
      params: named,
      body: z.object({}),
      answers: {
        200: { description: 'The instance as it is now', schema: instanceSchema },
        303: { description: 'For a browser: back to the page' },
      },
      handle: (c, { params: { subdomain } }) => {
        ownership.setBilled(subdomain, billed)
        return wantsPage(c)
          ? c.redirect(`/admin/instances/${subdomain}`, 303)
          : c.json(wireInstance(parts, requireInstance(fleet.db, subdomain)))
      },
    })
  return [
    say('bill', true, 'Bill for an instance: it stops unless its owner has a plan or a trial'),
    say('exempt', false, 'Exempt an instance from billing: it needs no plan, and counts against none'),
  ]
}
