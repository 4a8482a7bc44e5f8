import { and, count, eq, gt, inArray, isNotNull, lt } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { DeliveryError } from '../../src/delivery/delivery-error.ts'
import { createDeliveryQueue, queuedAt } from '../../src/delivery/delivery-queue.ts'
import { sendMail } from '../../src/delivery/smtp.ts'
import { newId } from '../../src/ids.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import type { Logger } from '../../src/log.ts'
import { gauge, type Metric } from '../../src/metrics/exposition.ts'
import type { Db } from '../../src/storage/database.ts'
import type { Brand } from '../../views/brand.tsx'
import { type Email, emailHtml, emailText } from '../../views/mail/email.tsx'
import type * as schema from './schema.ts'
import { type Message, messages } from './schema.ts'

export interface MailServer {
  smtpUrl: string
  smtpFrom: string
}

const day = 86_400_000
const mostConcerns = 20
/** The text of a sent email is kept this long. */
const textKeptMs = 30 * day
/** The record that it was sent is kept this long. */
const recordKeptMs = 400 * day

/** The queue of emails, and the delivery log. `server` is null when no mail server is set up. */
export function createMailQueue(options: {
  db: Db<typeof schema>
  clock: Clock
  log: Logger
  server: MailServer | null
  brand: Brand
}) {
  const { db, clock, log, server, brand } = options

  const deliver = async ({ id, to, subject, text, html }: Message) => {
    if (!server) throw new DeliveryError('no mail server is set up', { permanent: false })
    const words = { subject, text: text ?? '', ...(html === null ? {} : { html }) }
    await sendMail(server.smtpUrl, { ...words, id, from: server.smtpFrom, to })
  }

  const queue = createDeliveryQueue({
    db,
    table: messages,
    clock,
    deliver,
    failed: ({ id, key }, facts) => log.warn({ message: id, key, ...facts }, 'mail was not delivered'),
  })

  return {
    ...queue,

    /** Returns whether this call queued the email: false when its key is known, or no server is set up. */
    send: ({ key, to, email }: { key: string; to: string; email: Email }): boolean => {
      if (!server) return false
      const now = clock.now()
      const { subject } = email
      const words = { subject, text: emailText(email, brand), html: emailHtml(email, brand) }
      const row = { id: newId('mail', now), key, to, ...words, ...queuedAt(now) }
      return db.insert(messages).values(row).onConflictDoNothing().run().changes > 0
    },

    /** Attempts everything that is due, in order. Without a server, emails wait. */
    flush: async (signal?: AbortSignal): Promise<void> => {
      if (server) await queue.flush(signal)
    },

    /** Emails of the delivery log, by status. */
    metrics: (): Metric[] => {
      const { status } = messages
      const rows = db.select({ status, n: count() }).from(messages).groupBy(status).all()
      return [
        gauge(
          'longhouse_emails',
          'Emails in the delivery log, by status.',
          rows.map(row => [{ status: row.status }, row.n]),
        ),
      ]
    },

    /** Emails that were given up within the last day. */
    concerns: (): Concern[] => {
      const recent = gt(messages.createdAt, clock.now() - day)
      const rows = db
        .select()
        .from(messages)
        .where(and(eq(messages.status, 'failed'), recent))
        .limit(mostConcerns)
        .all()
      return rows.map(({ id, to, subject, error }) => ({
        kind: 'mail-undeliverable',
        subject: id,
        subdomain: null,
        summary: `“${subject}” could not be delivered to ${to}`,
        detail: error ?? '',
        urgency: 'alert',
        path: '/admin/mail',
      }))
    },

    /** Deletes the text of old emails, and in the end their records. */
    prune: () => {
      const over = inArray(messages.status, ['sent', 'failed'])
      const now = clock.now()
      db.update(messages)
        .set({ text: null, html: null })
        .where(
          and(
            eq(messages.status, 'sent'),
            isNotNull(messages.text),
            lt(messages.createdAt, now - textKeptMs),
          ),
        )
        .run()
      db.delete(messages)
        .where(and(over, lt(messages.createdAt, now - recordKeptMs)))
        .run()
    },
  }
}

export type MailQueue = ReturnType<typeof createMailQueue>
