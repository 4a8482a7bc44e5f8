import { and, eq, inArray, isNotNull, lt } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { DeliveryError } from '../../src/delivery/delivery-error.ts'
import { createDeliveryQueue, queuedAt } from '../../src/delivery/delivery-queue.ts'
import { sendMail } from '../../src/delivery/smtp.ts'
import { newId } from '../../src/ids.ts'
import type { Logger } from '../../src/log.ts'
import type { Db } from '../../src/storage/database.ts'
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

    /** True when the letter was queued by this call: no server is set up, or its key is known, otherwise. */
    send: ({ key, to, letter }: { key: string; to: string; letter: Letter }): boolean => {
      if (!server) return false
      const now = clock.now()
      const { subject } = letter
      const words = { subject, text: letterText(letter), html: letterHtml(letter) }
      const row = { id: newId('mail', now), key, to, ...words, ...queuedAt(now) }
      return db.insert(messages).values(row).onConflictDoNothing().run().changes > 0
    },

    /** Attempts everything that is due, in order; letters wait for a server. */
    flush: async (signal?: AbortSignal): Promise<void> => {
      if (server) await queue.flush(signal)
    },

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
