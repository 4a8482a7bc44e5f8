import { and, asc, count, desc, eq, inArray, isNotNull, lt, lte } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/database.ts'
import { DeliveryError } from '../../src/delivery-error.ts'
import { afterFailure } from '../../src/failed-attempt.ts'
import { newId } from '../../src/ids.ts'
import type { Logger } from '../../src/log.ts'
import { sendMail } from '../../src/mail/smtp.ts'
import { type Letter, letterHtml, letterText } from '../../views/mail/letter.tsx'
import type * as schema from './schema.ts'
import { type Message, messages } from './schema.ts'

export interface MailServer {
  smtpUrl: string
  smtpFrom: string
}

const day = 86_400_000
/** The words of a letter that was sent are kept this long, the fact that it was sent a year longer. */
const wordsKeptMs = 30 * day
const factsKeptMs = 400 * day

/** The queue of letters and the log of what became of them. `server` is null when no mail server is set up. */
export function createMailQueue(options: {
  db: Db<typeof schema>
  clock: Clock
  log: Logger
  server: MailServer | null
}) {
  const { db, clock, log, server } = options

  const end = (message: Message, change: Partial<Message>) =>
    db.update(messages).set(change).where(eq(messages.id, message.id)).run()

  const deliver = async ({ id, to, subject, text, html }: Message) => {
    if (!server) throw new DeliveryError('no mail server is set up', { permanent: false })
    const words = { subject, text: text ?? '', ...(html === null ? {} : { html }) }
    await sendMail(server.smtpUrl, { ...words, id, from: server.smtpFrom, to })
  }

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
      await deliver(message)
      end(message, { status: 'sent', error: null, finishedAt: clock.now() })
    } catch (error) {
      const next = afterFailure(error, attempts, clock.now())
      const facts = { message: message.id, key: message.key, attempts, error: next.error }
      log.warn(facts, 'mail was not delivered')
      end(message, next)
    }
  }

  return {
    /** True when the letter was queued by this call: no server is set up, or its key is known, otherwise. */
    send: ({ key, to, letter }: { key: string; to: string; letter: Letter }): boolean => {
      if (!server) return false
      const now = clock.now()
      const { subject } = letter
      const words = { subject, text: letterText(letter), html: letterHtml(letter) }
      const state = { status: 'queued' as const, attempts: 0, nextAt: now, createdAt: now }
      const row = { id: newId('mail', now), key, to, ...words, ...state }
      return db.insert(messages).values(row).onConflictDoNothing().run().changes > 0
    },

    /** Attempts everything that is due, in order. */
    flush: async (signal?: AbortSignal): Promise<void> => {
      if (!server) return
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

    /** Attempts a letter that waits or was given up once more now. False when there is no such letter. */
    again: (id: string): boolean =>
      db
        .update(messages)
        .set({ status: 'queued', nextAt: clock.now(), finishedAt: null })
        .where(and(eq(messages.id, id), inArray(messages.status, ['queued', 'failed'])))
        .run().changes > 0,

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

    /** Forgets the words of old letters, and in the end that there were any. */
    prune: () => {
      const over = inArray(messages.status, ['sent', 'failed'])
      const now = clock.now()
      db.update(messages)
        .set({ text: null, html: null })
        .where(
          and(
            eq(messages.status, 'sent'),
            isNotNull(messages.text),
            lt(messages.createdAt, now - wordsKeptMs),
          ),
        )
        .run()
      db.delete(messages)
        .where(and(over, lt(messages.createdAt, now - factsKeptMs)))
        .run()
    },
  }
}

export type MailQueue = ReturnType<typeof createMailQueue>
