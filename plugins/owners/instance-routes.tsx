import { z } from 'zod'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { type Route, route } from '../../src/http/route.ts'
import { show } from '../../src/http/show.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { OwnedInstanceLive } from '../../views/owner/instance-page.tsx'
import { OwnedInstancesLive } from '../../views/owner/instances-page.tsx'
import { endings, type OwnerParts, ownInstances } from './parts.ts'
import { ownedInstanceSchema, wireOwnedInstance } from './wire.ts'

/** An owner's instances: the list, and each of them. */
export function instanceRoutes(parts: OwnerParts): Route[] {
  const { auth, clock } = parts
  const guard = auth.account

  return [
    route({
      method: 'get',
      path: '/instances',
      summary: 'Your instances by name, including removed ones whose data is kept',
      guard,
      answers: {
        200: {
          description: 'The instances, and the names of those that you can claim',
          schema: z.object({
            instances: z.array(ownedInstanceSchema),
            limit: z.int(),
            claimable: z.array(z.string()),
          }),
        },
      },
      handle: c => {
        const own = ownInstances(parts, c)
        const limit = own.limit()
        const props = { instances: own.list(), claimable: own.claimable() }
        if (!wantsPage(c) && !wantsFragment(c)) {
          return c.json({ ...props, limit: limit.most, instances: props.instances.map(wireOwnedInstance) })
        }
        const page = <OwnedInstancesLive {...props} limit={limit} now={clock.now()} />
        return show(c, page, { ...ownerFrame('/instances', 'Instances'), refresh: 10 })
      },
    }),
    route({
      method: 'get',
      path: '/instances/{subdomain}',
      summary: 'One of your instances, with its latest operation',
      guard,
      params: z.object({ subdomain: z.string() }),
      answers: { 200: { description: 'The instance', schema: ownedInstanceSchema } },
      handle: (c, { params }) => {
        const instance = ownInstances(parts, c).find(params.subdomain)
        if (!wantsPage(c) && !wantsFragment(c)) return c.json(wireOwnedInstance(instance))
        const page = <OwnedInstanceLive instance={instance} {...endings(parts, c)} now={clock.now()} />
        const busy = instance.operation?.status === 'pending' || instance.operation?.status === 'running'
        return show(c, page, { ...ownerFrame('/instances', instance.subdomain), refresh: busy ? 1 : 10 })
      },
    }),
  ]
}
