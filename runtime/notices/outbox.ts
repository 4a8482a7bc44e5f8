import { and, asc, count, desc, eq, inArray, lte, notInArray } from 'drizzle-orm'
import { type Clock, timestamp } from '../../src/clock.ts'
import type { Db } from '../../src/database.ts'
import { DeliveryError } from '../../src/delivery-error.ts'
import { afterFailure } from '../../src/failed-attempt.ts'
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

  const deliver = async (message: Message, given: NoticeSettings) => {
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

  const end = (message: Message, change: Partial<Message>) =>
    db.update(messages).set(change).where(eq(messages.id, message.id)).run()

  const attempt = async (message: Message) => {
    const attempts = message.attempts + 1
    // Whoever turns it from queued to sending sends it.
    const claimed = db
      .update(messages)
      .set({ status: 'sending', attempts })
      .where(and(eq(messages.id, message.id), eq(messages.status, 'queued')))
      .run().changes
    if (claimed === 0) return
    try {
      await deliver(message, settings())
      end(message, { status: 'sent', error: null, finishedAt: clock.now() })
    } catch (error) {
      const next = afterFailure(error, attempts, clock.now())
      const facts = { message: message.id, channel: message.channel, attempts, error: next.error }
      log.warn(facts, 'notice was not delivered')
      end(message, next)
    }
  }

  return {
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
        const state = { status: 'queued' as const, attempts: 0, nextAt: now, createdAt: now }
        const message = { id: newId('msg', now), incidentId, kind, channel, content, ...state }
        tx.insert(messages).values(message).onConflictDoNothing().run()
      }
      return channels.length
    },

    /** Attempts everything that is due, in order. */
    flush: async (signal?: AbortSignal): Promise<void> => {
      const due = db
        .select()
        .from(messages)
        .where(and(eq(messages.status, 'queued'), lte(messages.nextAt, clock.now())))
        .orderBy(asc(messages.createdAt))
        .limit(100)
        .all()
      for (const message of due) {
        if (signal?.aborted) return
        await attempt(message)
      }
    },

    /** Of a program that ended while it was sending: sent again under the same id, for nobody knows how far it came. */
    takeBack: () =>
      void db.update(messages).set({ status: 'queued' }).where(eq(messages.status, 'sending')).run(),

    /** Attempts a message that is queued or was given up once more now. False when there is no such message. */
    again: (id: string): boolean => {
      const { changes } = db
        .update(messages)
        .set({ status: 'queued', nextAt: clock.now(), finishedAt: null })
        .where(and(eq(messages.id, id), inArray(messages.status, ['queued', 'failed'])))
        .run()
      return changes > 0
    },

    /** Newest first. */
    list: ({ limit, offset }: { limit: number; offset: number }) => ({
      messages: db
        .select()
        .from(messages)
        .orderBy(desc(messages.createdAt), desc(messages.id))
        .limit(limit)
        .offset(offset)
        .all(),
      total: db.select({ total: count() }).from(messages).get()?.total ?? 0,
    }),

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
