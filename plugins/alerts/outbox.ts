import { and, inArray, lt } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { DeliveryError } from '../../src/delivery/delivery-error.ts'
import { createDeliveryQueue, queuedAt } from '../../src/delivery/delivery-queue.ts'
import { newId } from '../../src/ids.ts'
import type { Logger } from '../../src/log.ts'
import type { Db } from '../../src/storage/database.ts'
import { alertEmail } from '../../views/mail/alert-email.tsx'
import type { MailService } from '../mail/contract.ts'
import type { Channel } from './channels.ts'
import { paragraphsOf, subjectOf } from './notice.ts'
import type { Notice } from './notice-content.ts'
import type * as schema from './schema.ts'
import { type Message, messages } from './schema.ts'

const keptMs = 90 * 86_400_000

/** Sends notices to every channel: webhooks by a queue of its own, emails by the queue of all emails. */
export function createOutbox(options: {
  db: Db<typeof schema>
  clock: Clock
  log: Logger
  channels: readonly Channel[]
  mail: MailService
  addresses: readonly string[]
}) {
  const { db, clock, log, channels, mail, addresses } = options
  const queue = createDeliveryQueue({
    db,
    table: messages,
    clock,
    deliver: async ({ id, channel, notice }: Message) => {
      const found = channels.find(({ name }) => name === channel)
      if (!found) throw new DeliveryError(`no ${channel} is set up any more`, { permanent: true })
      await found.post(notice, id, clock.now())
    },
    failed: ({ id, channel }, facts) =>
      log.warn({ message: id, channel, ...facts }, 'an alert was not delivered'),
  })
  return {
    ...queue,
    /** Queues a notice for every channel. Call it in the transaction that records why. */
    send: (notice: Notice): void => {
      const now = clock.now()
      for (const { name } of channels)
        db.insert(messages)
          .values({ id: newId('amsg', now), channel: name, notice, ...queuedAt(now) })
          .run()
      const key = newId('alert', now)
      const email = alertEmail(subjectOf(notice), paragraphsOf(notice))
      for (const to of addresses) mail.send({ key: `${key}:${to}`, to, email })
    },
    prune: (): void => {
      const over = inArray(messages.status, ['sent', 'failed'])
      db.delete(messages)
        .where(and(over, lt(messages.createdAt, clock.now() - keptMs)))
        .run()
    },
  }
}
export type Outbox = ReturnType<typeof createOutbox>
