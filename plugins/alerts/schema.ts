import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { DeliveryStatus } from '../../src/delivery/delivery-queue.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import type { Notice } from './notice-content.ts'

/** Concerns of the operator that are open, and for a while those that are over. Times are milliseconds since the epoch. */
export const alerts = sqliteTable(
  'alerts_alerts',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    subject: text('subject').notNull(),
    subdomain: text('subdomain'),
    summary: text('summary').notNull(),
    detail: text('detail').notNull(),
    urgency: text('urgency').$type<Concern['urgency']>().notNull(),
    path: text('path').notNull(),
    /** When it was first seen. */
    openedAt: integer('opened_at').notNull(),
    /** Since when it is no longer seen; null while it is. It is over when that lasts. */
    goneAt: integer('gone_at'),
    /** When operators were first notified of it; null while they are not. */
    notifiedAt: integer('notified_at'),
    /** When they were notified of it last. */
    remindedAt: integer('reminded_at'),
    /** When it was over; null while it is open. */
    closedAt: integer('closed_at'),
  },
  table => [
    uniqueIndex('alerts_alerts_open').on(table.kind, table.subject).where(sql`${table.closedAt} is null`),
    index('alerts_alerts_closed').on(table.closedAt),
  ],
)
export type Alert = typeof alerts.$inferSelect

/** What operators do not want to be notified of, until a time. */
export const silences = sqliteTable('alerts_silences', {
  id: text('id').primaryKey(),
  /** Null for every kind. */
  kind: text('kind'),
  /** Null for every instance, and what is about none. */
  subdomain: text('subdomain'),
  until: integer('silent_until').notNull(),
  createdAt: integer('created_at').notNull(),
})
export type Silence = typeof silences.$inferSelect

/** The queue of notices to webhooks, and their delivery log. */
export const messages = sqliteTable(
  'alerts_messages',
  {
    id: text('id').primaryKey(),
    /** Where it goes. */
    channel: text('channel').notNull(),
    notice: text('notice', { mode: 'json' }).$type<Notice>().notNull(),
    status: text('status').$type<DeliveryStatus>().notNull(),
    attempts: integer('attempts').notNull(),
    nextAt: integer('next_at').notNull(),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
    error: text('error'),
  },
  table => [index('alerts_messages_due').on(table.status, table.nextAt)],
)
export type Message = typeof messages.$inferSelect
