import { z } from 'zod'
import type { Clock } from '../../../src/clock.ts'
import { readBytes } from '../../../src/http/body.ts'
import { open, type Route, route } from '../../../src/http/route.ts'
import type { Logger } from '../../../src/log.ts'
import { badSignature, billingOff } from '../problems.ts'
import type { EventQueue } from './event-queue.ts'
import type { StripeAccess } from './stripe.ts'

/** Stripe's own events stay far below. */
const limitBytes = 512 * 1024

/**
 * Takes in what Stripe tells: checked, kept, answered. Working it is for later, so that Stripe never waits, and a fault of
 * ours is tried again by us. `billing` is null where payments are not set up.
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
    summary: 'For Stripe: an event, signed with the endpoint’s secret',
    guard: open,
    answers: {
      200: {
        description: 'It is kept; `known` when it was before',
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
          'Send an event of Stripe with its Stripe-Signature header, not older than five minutes.',
        )
      }
      const known = !billing.queue.take(event)
      log.info({ event: event.id, type: event.type, known }, 'Stripe told something')
      if (!known) parts.nudge()
      return c.json({ received: true, known })
    },
  })
}
