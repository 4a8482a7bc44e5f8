import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { instanceStatuses } from '../contract.ts'
import { requireInstance } from '../records/instance.ts'
import { operationsOf } from '../records/operation.ts'
import { availabilityOf, statusSpans } from '../records/status-history.ts'
import { named, type ProvisionerRoutes } from './answer.ts'
import { operationSchema, wireOperation } from './wire.ts'

const part = z.number().min(0).max(1).nullable()
const historySchema = z.object({
  availability: z.object({ last_24_hours: part, last_30_days: part }).meta({
    description:
      'Which part of the time in which it was to run it was healthy, from 0 to 1; null when it was not to run',
  }),
  statuses: z
    .array(
      z.object({
        status: z.enum(instanceStatuses),
        reason: z.string().nullable(),
        from: z.iso.datetime(),
        to: z.iso.datetime().nullable().meta({ description: 'Null while it goes on' }),
      }),
    )
    .meta({ description: 'Newest first, at most 200' }),
  operations: z.array(operationSchema).meta({ description: 'Newest first, at most 50' }),
})

/** How an instance was and what was done with it, for scripts; its page shows the same. */
export function historyRoute({ fleet, admin }: ProvisionerRoutes): Route {
  return route({
    method: 'get',
    path: '/admin/instances/{subdomain}/history',
    summary: 'How the status of an instance changed, how available it was, and the operations on it',
    guard: admin,
    role: 'read',
    params: named,
    answers: { 200: { description: 'The history', schema: historySchema } },
    handle: (c, { params }) => {
      const { db, clock } = fleet
      const { id } = requireInstance(db, params.subdomain)
      const availability = availabilityOf(db, id, clock.now())
      return c.json({
        availability: { last_24_hours: availability.day, last_30_days: availability.month },
        statuses: statusSpans(db, id, 200).map(({ status, reason, from, to }) => ({
          ...{ status, reason },
          from: timestamp(from),
          to: timestamp(to),
        })),
        operations: operationsOf(db, id, 50).map(wireOperation),
      })
    },
  })
}
