import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { DeliveryStatus } from '../../src/delivery-queue.ts'
import type { MessageContent } from './message.ts'
import type { IncidentKind } from './watch.ts'

/** Times are milliseconds since the epoch. What is sealed opens with the instance's key; see `Seal`. */

/** One row, or none before anybody has saved settings. */
export const settings = sqliteTable('notices_settings', {
  id: integer().primaryKey(),
  /** Addresses separated by commas; '' sends no mail. */
  emailTo: text('email_to').notNull(),
  smtpUrl: text('smtp_url_sealed').notNull(),
  smtpFrom: text('smtp_from').notNull(),
  webhookUrl: text('webhook_url_sealed').notNull(),
  webhookSecret: text('webhook_secret_sealed').notNull(),
  heartbeatUrl: text('heartbeat_url_sealed').notNull(),
  failuresInARow: integer('failures_in_a_row').notNull(),
})

/** How far the watch has come, and how the last heartbeat went: one row. */
export const progress = sqliteTable('notices_progress', {
  id: integer().primaryKey(),
  /** Missed slots that were decided before this are told. */
  missedToldBefore: integer('missed_told_before').notNull(),
})

/** Something that is wrong with a job, from when it was seen until it is well again. */
export const incidents = sqliteTable(
  'notices_incidents',
  {
    id: text().primaryKey(),
    jobId: text('job_id').notNull(),
    kind: text().$type<IncidentKind>().notNull(),
    detail: text().notNull(),
    openedAt: integer('opened_at').notNull(),
    closedAt: integer('closed_at'),
    /** When it was told; null while it is held back because the same was told shortly before. */
    toldAt: integer('told_at'),
  },
  table => [
    uniqueIndex('notices_incidents_open').on(table.jobId, table.kind).where(sql`${table.closedAt} is null`),
    index('notices_incidents_by_age').on(table.openedAt),
  ],
)

/** What is to be sent and what was: the queue and the delivery log. */
export const messages = sqliteTable(
  'notices_messages',
  {
    id: text().primaryKey(),
    /** Null for what is no incident of one job. */
    incidentId: text('incident_id'),
    kind: text().$type<'opened' | 'recovered' | 'missed' | 'test'>().notNull(),
    channel: text().$type<'email' | 'webhook'>().notNull(),
    content: text({ mode: 'json' }).$type<MessageContent>().notNull(),
    status: text().$type<DeliveryStatus>().notNull(),
    attempts: integer().notNull(),
    nextAt: integer('next_at').notNull(),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
    /** Why the last attempt failed. */
    error: text(),
  },
  table => [
    // What keeps one incident from being told twice.
    uniqueIndex('notices_messages_once').on(table.incidentId, table.kind, table.channel),
    index('notices_messages_due').on(table.status, table.nextAt),
    index('notices_messages_by_age').on(table.createdAt),
  ],
)
