import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { DeliveryStatus } from '../../src/delivery/delivery-queue.ts'

/** The queue of emails and the delivery log. Times are milliseconds since the epoch. */
export const messages = sqliteTable(
  'mail_messages',
  {
    id: text('id').primaryKey(),
    /** What it is about: unique, so that nothing is sent twice. */
    key: text('key').notNull().unique(),
    to: text('to_address').notNull(),
    subject: text('subject').notNull(),
    /** Null some time after it was sent. */
    text: text('text'),
    html: text('html'),
    status: text('status').$type<DeliveryStatus>().notNull(),
    attempts: integer('attempts').notNull(),
    nextAt: integer('next_at').notNull(),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
    /** Why the last attempt failed. */
    error: text('error'),
  },
  table => [
    index('mail_messages_due').on(table.status, table.nextAt),
    index('mail_messages_by_age').on(table.createdAt),
  ],
)
export type Message = typeof messages.$inferSelect
