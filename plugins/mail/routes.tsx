import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { deliveryStatuses } from '../../src/delivery/delivery-queue.ts'
import { listWindow } from '../../src/http/list-window.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { type Guard, type Route, route } from '../../src/http/route.ts'
import { show } from '../../src/http/show.ts'
import { MailPage } from '../../views/operator/mail-page.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import { mailOff, unknownMail } from './problems.ts'
import type { MailQueue } from './queue.ts'

const listed = 50
const time = z.iso.datetime().nullable()

const messageSchema = z.object({
  id: z.string(),
  key: z.string().meta({ description: 'What the email is about; each key is sent once' }),
  to: z.string(),
  subject: z.string(),
  status: z.enum(deliveryStatuses),
  attempts: z.int(),
  created_at: z.iso.datetime(),
  next_at: time.meta({ description: 'When the next attempt is made; null when there is none' }),
  finished_at: time,
  error: z.string().nullable(),
})

/** The delivery log, for the operator. */
export function mailRoutes(parts: {
  admin: Guard
  clock: Clock
  queue: MailQueue
  on: boolean
  /** Makes the queue send now. */
  nudge(): void
}): Route[] {
  const { admin, clock, queue, on } = parts
  return [
    route({
      method: 'get',
      path: '/admin/mail',
      summary: 'Emails to owners and their delivery status, newest first',
      guard: admin,
      role: 'read',
      query: listWindow(listed).pick({ offset: true }),
      answers: {
        200: {
          description: 'The emails',
          schema: z.object({ on: z.boolean(), total: z.int(), messages: z.array(messageSchema) }),
        },
      },
      handle: (c, { query: { offset } }) => {
        const { messages, total } = queue.list({ limit: listed, offset })
        if (wantsPage(c) || wantsFragment(c)) {
          const page = (
            <MailPage on={on} now={clock.now()} list={{ messages, total, offset, limit: listed }} />
          )
          return show(c, page, operatorFrame('Mail', '/admin/mail'))
        }
        return c.json({
          on,
          total,
          messages: messages.map(({ id, key, to, subject, status, attempts, ...each }) => ({
            ...{ id, key, to, subject, status, attempts },
            created_at: timestamp(each.createdAt),
            next_at: status === 'queued' ? timestamp(each.nextAt) : null,
            finished_at: timestamp(each.finishedAt),
            error: each.error,
          })),
        })
      },
    }),
    route({
      method: 'post',
      path: '/admin/mail/{id}/retry',
      summary: 'Retry a queued or failed email now',
      guard: admin,
      role: 'operate',
      params: z.object({ id: z.string() }),
      body: z.object({}),
      answers: {
        204: { description: 'The email is queued' },
        303: { description: 'For a browser: back to the list' },
      },
      handle: (c, { params }) => {
        if (!on)
          throw mailOff('No emails are sent. Set SMTP_URL and SMTP_FROM, and restart the control plane.')
        if (!queue.again(params.id)) throw unknownMail(`No queued or failed email has the id "${params.id}".`)
        parts.nudge()
        return wantsPage(c) ? c.redirect('/admin/mail', 303) : c.body(null, 204)
      },
    }),
  ]
}
