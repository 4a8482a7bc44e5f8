import { z } from 'zod'
import type { Clock } from '../../../src/clock.ts'
import { readBytes } from '../../../src/http/body.ts'
import { open, type Route, route } from '../../../src/http/route.ts'
import type { Logger } from '../../../src/log.ts'
import { badSignature, billingOff } from '../problems.ts'
import type { EventQueue } from './event-queue.ts'
import type { StripeAccess } from './stripe.ts'

/** Far more than any event of Stripe's. */
const limitBytes = 512 * 1024

/**
 * Receives Stripe's events: verifies, stores and answers. They are processed later, so that Stripe never waits and a failure of
 * ours is retried by us. `billing` is null where payments are not set up.
 */
export function webhookRoute(
  billing: { stripe: StripeAccess; queue: EventQueue } | null,
  parts: { clock: Clock; log: Logger; nudge(): void },
): Route {
  const { clock, log } = parts
  return route({
    method: 'post',
    path: '/webhooks/stripe',
    rawBody: true,
    summary: 'Receive an event from Stripe, signed with the endpoint’s secret',
    guard: open,
    audit: {
      none: 'Stripe calls it many times a day; what follows from an event is recorded when it is done',
    },
    answers: {
      200: {
        description: 'The event is stored; `known` when it was stored before',
        schema: z.object({ received: z.literal(true), known: z.boolean() }),
      },
    },
    handle: async c => {
      if (!billing) throw billingOff('This site takes no payments.')
      const payload = await readBytes(c.req.raw, limitBytes)
      const signature = c.req.header('stripe-signature') ?? ''
      const event = billing.stripe.readEvent(payload, signature, clock.now())
      if (!event) {
        throw badSignature(
          'The event was not stored. Send it with its Stripe-Signature header, at most five minutes old.',
        )
      }
      const known = !billing.queue.take(event)
      log.info({ event: event.id, type: event.type, known }, 'received a Stripe event')
      if (!known) parts.nudge()
      return c.json({ received: true, known })
    },
  })
}
