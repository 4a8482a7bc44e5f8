import { z } from 'zod'
import { type Clock, timestamp } from '../../../src/clock.ts'
import { listWindow } from '../../../src/http/list-window.ts'
import { wantsFragment, wantsPage } from '../../../src/http/negotiate.ts'
import { type Guard, type Route, route } from '../../../src/http/route.ts'
import { show } from '../../../src/http/show.ts'
import { BillingEventsPage } from '../../../views/operator/billing-events-page.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import { eventStatuses } from '../contract.ts'
import { unknownEvent } from '../problems.ts'
import type { EventQueue } from '../stripe/event-queue.ts'

const listed = 50
const path = '/admin/billing/events'

const eventSchema = z.object({
  id: z.string(),
  type: z.string(),
  customer_id: z.string().nullable(),
  status: z.enum(eventStatuses),
  attempts: z.int(),
  created_at: z.iso.datetime(),
  received_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  error: z.string().nullable(),
})

/** The log of Stripe's events, for the operator. `open` throws where payments are not set up. */
export function eventRoutes(parts: {
  admin: Guard
  clock: Clock
  queue: EventQueue | null
  open(): { queue: EventQueue; nudge(task: 'work-events'): void }
}): Route[] {
  const { admin, clock, queue, open } = parts
  return [
    route({
      method: 'get',
      path,
      summary: 'Stripe events, newest first',
      guard: admin,
      role: 'read',
      query: listWindow(listed).pick({ offset: true }),
      answers: {
        200: {
          description: 'The events',
          schema: z.object({ total: z.int(), events: z.array(eventSchema) }),
        },
      },
      handle: (c, { query: { offset } }) => {
        const list = queue?.list({ limit: listed, offset }) ?? { events: [], total: 0 }
        if (wantsPage(c) || wantsFragment(c)) {
          const page = <BillingEventsPage now={clock.now()} list={{ ...list, limit: listed, offset }} />
          return show(c, page, operatorFrame('Stripe events', '/admin/billing'))
        }
        return c.json({
          total: list.total,
          events: list.events.map(({ id, type, customerId, status, attempts, error, ...event }) => ({
            ...{ id, type, customer_id: customerId, status, attempts },
            created_at: timestamp(event.createdAt),
            received_at: timestamp(event.receivedAt),
            finished_at: timestamp(event.finishedAt),
            error,
          })),
        })
      },
    }),
    route({
      method: 'post',
      path: `${path}/{id}/retry`,
      summary: 'Retry a queued or failed event now',
      guard: admin,
      role: 'operate',
      params: z.object({ id: z.string() }),
      body: z.object({}),
      answers: {
        204: { description: 'The event is queued' },
        303: { description: 'For a browser: back to the list' },
      },
      handle: (c, { params }) => {
        const { queue, nudge } = open()
        if (!queue.retry(params.id))
          throw unknownEvent(`No queued or failed event has the id "${params.id}".`)
        nudge('work-events')
        return wantsPage(c) ? c.redirect(path, 303) : c.body(null, 204)
      },
    }),
  ]
}
