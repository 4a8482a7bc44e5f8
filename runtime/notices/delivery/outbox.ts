import { and, desc, inArray, notInArray } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { DeliveryError } from '../../../src/delivery/delivery-error.ts'
import { createDeliveryQueue, queuedAt } from '../../../src/delivery/delivery-queue.ts'
import { sendMail } from '../../../src/delivery/smtp.ts'
import { postWebhook } from '../../../src/delivery/webhook.ts'
import { newId } from '../../../src/ids.ts'
import type { Logger } from '../../../src/log.ts'
import { type Channel, channels, type MessageKind } from '../channel.ts'
import type { MessageContent } from '../message-content.ts'
import type { Place } from '../messages/message.ts'
import { bodyOf, shapeOf } from '../messages/shape.ts'
import type { NoticesDb } from '../notices-db.ts'
import { type Message, messages } from '../schema.ts'
import type { NoticeSettings } from '../settings.ts'

const keptMessages = 1000

/** The queue of messages to send, and the log of sent ones. */
export function createOutbox(options: {
  db: NoticesDb
  clock: Clock
  log: Logger
  place: Place
  product: string
  settings(): NoticeSettings
}) {
  const { db, clock, log, place, product, settings } = options

  const deliver = async (message: Message) => {
    const given = settings()
    const { id, channel, content } = message
    const { emailTo, ...urls } = placesOf(content, given)
    if (channel === 'email') {
      if (!emailTo || !given.smtpUrl)
        throw new DeliveryError('email is no longer set up', { permanent: true })
      const { subject, text } = content
      return sendMail(given.smtpUrl, { id, from: given.smtpFrom, to: emailTo, subject, text })
    }
    const url = urls[channel]
    if (!url) throw new DeliveryError(`${labels[channel]} is not set up any more`, { permanent: true })
    const shape = channel === 'webhook' ? shapeOf(url) : channel
    return postWebhook(url, {
      body: bodyOf(message, shape, { instance: place.name, product }),
      // No signature for a recipient without a key to check it.
      secret: shape === 'longhouse' ? given.webhookSecret : '',
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

    /** The channels for a message with the current settings. */
    channels: (content: Pick<MessageContent, 'to'>): Channel[] => {
      const given = settings()
      const { emailTo, ...urls } = placesOf(content, given)
      return channels.filter(channel =>
        channel === 'email' ? emailTo && given.smtpUrl : urls[channel] !== '',
      )
    },

    /** Queues a message, once for each of these channels. */
    queue: (
      tx: Pick<NoticesDb, 'insert'>,
      kind: MessageKind,
      content: MessageContent,
      to: readonly Channel[],
    ): void => {
      const now = clock.now()
      const { incidentId, reminder: round = 0 } = content
      for (const channel of to) {
        const message = { id: newId('msg', now), incidentId, kind, channel, content, round, ...queuedAt(now) }
        tx.insert(messages).values(message).onConflictDoNothing().run()
      }
    },

    /** Deletes the oldest finished messages. */
    prune: () => {
      const kept = db
        .select({ id: messages.id })
        .from(messages)
        .orderBy(desc(messages.createdAt), desc(messages.id))
        .limit(keptMessages)
      db.delete(messages)
        .where(and(notInArray(messages.id, kept), inArray(messages.status, ['sent', 'failed'])))
        .run()
    },
  }
}

const labels = { webhook: 'the webhook', slack: 'Slack', discord: 'Discord' } as const

/** The recipients of a message; '' for none. A job with its own address uses no other. */
function placesOf({ to }: Pick<MessageContent, 'to'>, given: NoticeSettings) {
  const own = to?.webhook ?? null
  return {
    emailTo: to?.emails?.join(', ') ?? given.emailTo,
    webhook: own ?? given.webhookUrl,
    slack: own === null ? given.slackUrl : '',
    discord: own === null ? given.discordUrl : '',
  }
}

export type Outbox = ReturnType<typeof createOutbox>
