import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { DeliveryStatus } from '../../src/delivery/delivery-queue.ts'
import type { Channel, MessageKind } from './channel.ts'
import type { CommitState } from './commit-state.ts'
import type { IncidentKind } from './finding.ts'
import type { MessageContent } from './message-content.ts'

/** Times are milliseconds since the epoch. Sealed columns are encrypted with the instance's key; see `Seal`. */

/** One row, or none before settings are saved. */
export const settings = sqliteTable('notices_settings', {
  id: integer().primaryKey(),
  /** Addresses separated by commas; '' sends no mail. */
  emailTo: text('email_to').notNull(),
  smtpUrl: text('smtp_url_sealed').notNull(),
  smtpFrom: text('smtp_from').notNull(),
  webhookUrl: text('webhook_url_sealed').notNull(),
  webhookSecret: text('webhook_secret_sealed').notNull(),
  heartbeatUrl: text('heartbeat_url_sealed').notNull(),
  slackUrl: text('slack_url_sealed').notNull().default(''),
  discordUrl: text('discord_url_sealed').notNull().default(''),
  failuresInARow: integer('failures_in_a_row').notNull(),
})

/** The state of the watch: one row. */
export const progress = sqliteTable('notices_progress', {
  id: integer().primaryKey(),
  /** Missed slots decided before this time were reported. */
  missedReportedBefore: integer('missed_told_before').notNull(),
})

/** A problem of a job or of the instance, from its first sighting until it is over. */
export const incidents = sqliteTable(
  'notices_incidents',
  {
    id: text().primaryKey(),
    /** '' for a problem of the instance. */
    jobId: text('job_id').notNull(),
    kind: text().$type<IncidentKind>().notNull(),
    detail: text().notNull(),
    openedAt: integer('opened_at').notNull(),
    closedAt: integer('closed_at'),
    /** When it was last reported; null while no channel is set up, or while it is held back. */
    notifiedAt: integer('told_at'),
    /** The channels that it was reported to. */
    notifiedChannels: text('told_to', { mode: 'json' }).$type<Channel[]>().notNull().default([]),
    /** When a person muted it: it is not reported again until it is over. */
    mutedAt: integer('muted_at'),
    /** How many reminders were sent. */
    reminders: integer().notNull().default(0),
  },
  table => [
    uniqueIndex('notices_incidents_open').on(table.jobId, table.kind).where(sql`${table.closedAt} is null`),
    index('notices_incidents_by_age').on(table.openedAt),
  ],
)

/** Messages to send and messages sent: the queue and the delivery log. */
export const messages = sqliteTable(
  'notices_messages',
  {
    id: text().primaryKey(),
    /** Null for a message that is not about an incident. */
    incidentId: text('incident_id'),
    kind: text().$type<MessageKind>().notNull(),
    channel: text().$type<Channel>().notNull(),
    /** The number of the reminder; 0 for any other message. */
    round: integer().notNull().default(0),
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
    // Keeps an incident from being reported twice.
    uniqueIndex('notices_messages_once').on(table.incidentId, table.kind, table.channel, table.round),
    index('notices_messages_due').on(table.status, table.nextAt),
    index('notices_messages_by_age').on(table.createdAt),
  ],
)

export type Message = typeof messages.$inferSelect

/** The last commit status written at the remote: one row, or none. */
export const commitStatuses = sqliteTable('notices_commit_statuses', {
  id: integer().primaryKey(),
  /** The repository; another one starts anew. */
  url: text().notNull(),
  commit: text().notNull(),
  state: text().$type<CommitState>().notNull(),
  description: text().notNull(),
  /** When it was written or last attempted. */
  at: integer().notNull(),
  attempts: integer().notNull(),
  /** When to retry; null once it is written or given up. */
  nextAt: integer('next_at'),
  /** Why the last attempt failed. */
  error: text(),
})
