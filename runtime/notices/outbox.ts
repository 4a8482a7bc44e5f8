import { and, desc, inArray, notInArray } from 'drizzle-orm'
import { type Clock, timestamp } from '../../src/clock.ts'
import type { Db } from '../../src/database.ts'
import { DeliveryError } from '../../src/delivery-error.ts'
import { createDeliveryQueue, queuedAt } from '../../src/delivery-queue.ts'
import { newId } from '../../src/ids.ts'
import type { Logger } from '../../src/log.ts'
import { sendMail } from '../../src/mail/smtp.ts'
import type { MessageContent, Place } from './message.ts'
import { messages } from './schema.ts'
import type { NoticeSettings } from './settings.ts'
import type { NoticesSchema } from './tables.ts'
import { postWebhook } from './webhook.ts'

export type Message = typeof messages.$inferSelect

const keptMessages = 1000

/** The queue of what is to be sent, and the log of what was. */
export function createOutbox(options: {
  db: Db<NoticesSchema>
  clock: Clock
  log: Logger
  place: Place
  settings(): NoticeSettings
}) {
  const { db, clock, log, place, settings } = options

  const deliver = async (message: Message) => {
    const given = settings()
    const { id, channel, content } = message
    const { emailTo, webhookUrl } = placesOf(content, given)
    if (channel === 'email') {
      if (!emailTo || !given.smtpUrl)
        throw new DeliveryError('e-mail is not set up any more', { permanent: true })
      const { subject, text } = content
      return sendMail(given.smtpUrl, { id, from: given.smtpFrom, to: emailTo, subject, text })
    }
    if (!webhookUrl) throw new DeliveryError('the webhook is not set up any more', { permanent: true })
    const { type, subject, text, jobId, incidentId, url, at } = content
    const body = JSON.stringify({
      id,
      type,
      at: timestamp(at),
      instance: place.name,
      subject,
      text,
      job_id: jobId,
      incident_id: incidentId,
      url,
    })
    return postWebhook(webhookUrl, {
      body,
      secret: given.webhookSecret,
      deliveryId: id,
      now: clock.now(),
    })
  }

  const outbox = createDeliveryQueue({
    db,
    table: messages,
    clock,
    deliver,
    failed: ({ id, channel }, facts) =>
      log.warn({ message: id, channel, ...facts }, 'notice was not delivered'),
  })

  return {
    ...outbox,

    /** Puts a message into the queue, once for every channel that is set up. Returns for how many. */
    queue: (
      tx: Pick<Db<NoticesSchema>, 'insert'>,
      kind: Message['kind'],
      content: MessageContent,
    ): number => {
      const given = settings()
      const { emailTo, webhookUrl } = placesOf(content, given)
      const channels = [
        ...(emailTo && given.smtpUrl ? (['email'] as const) : []),
        ...(webhookUrl ? (['webhook'] as const) : []),
      ]
      const now = clock.now()
      for (const channel of channels) {
        const { incidentId } = content
        const message = { id: newId('msg', now), incidentId, kind, channel, content, ...queuedAt(now) }
        tx.insert(messages).values(message).onConflictDoNothing().run()
      }
      return channels.length
    },

    /** Forgets the oldest of those that are over. */
    prune: () => {
      const kept = db
        .select({ id: messages.id })
        .from(messages)
        .orderBy(desc(messages.createdAt))
        .limit(keptMessages)
      db.delete(messages)
        .where(and(notInArray(messages.id, kept), inArray(messages.status, ['sent', 'failed'])))
        .run()
    },
  }
}

/** Where a message goes: '' is nowhere. */
function placesOf({ to }: MessageContent, { emailTo, webhookUrl }: NoticeSettings) {
  return { emailTo: to?.emails?.join(', ') ?? emailTo, webhookUrl: to?.webhook ?? webhookUrl }
}

export type Outbox = ReturnType<typeof createOutbox>
