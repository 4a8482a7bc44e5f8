import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { State, SubscriptionItem, SubscriptionStatus } from './contract.ts'

/** Times are milliseconds since the epoch. What belongs to Stripe's test mode is never counted in live mode, nor the reverse. */

/** Which of Stripe's customers an account is. */
export const customers = sqliteTable(
  'billing_customers',
  {
    accountId: text('account_id').notNull(),
    live: integer('live', { mode: 'boolean' }).notNull(),
    customerId: text('customer_id').notNull().unique(),
    createdAt: integer('created_at').notNull(),
    /** The email address that Stripe has as far as we know; null when we do not know. */
    syncedEmail: text('told_email'),
    /** When its subscriptions were last read from Stripe. */
    readAt: integer('read_at'),
    /** Why the last reading failed; null when it did not. */
    error: text('error'),
  },
  table => [primaryKey({ columns: [table.accountId, table.live] })],
)
export type Customer = typeof customers.$inferSelect

/** Stripe's subscriptions as they were when last read. */
export const subscriptions = sqliteTable(
  'billing_subscriptions',
  {
    id: text('id').primaryKey(),
    customerId: text('customer_id').notNull(),
    status: text('status').$type<SubscriptionStatus>().notNull(),
    /** When it was first seen in this status. */
    statusSince: integer('status_since').notNull(),
    priceId: text('price_id'),
    createdAt: integer('created_at').notNull(),
    periodEndsAt: integer('period_ends_at'),
    /** When it ends though it is paid; null when it goes on. */
    cancelAt: integer('cancel_at'),
    endedAt: integer('ended_at'),
    /** What is paid for, in Stripe's order; null for one that was read before this was kept. */
    items: text('items', { mode: 'json' }).$type<readonly SubscriptionItem[]>(),
    /** What Stripe does with the invoices while it collects no payment; null while it collects. */
    pauseBehavior: text('pause_behavior'),
    /** When Stripe collects again; null for when the operator says so there. */
    pauseEndsAt: integer('pause_ends_at'),
  },
  table => [index('billing_subscriptions_customer').on(table.customerId)],
)
export type Subscription = typeof subscriptions.$inferSelect

export const eventStatuses = ['queued', 'working', 'done', 'ignored', 'failed'] as const

/** What Stripe told: the queue and the log. An event's own content is not kept; the state is read from Stripe. */
export const events = sqliteTable(
  'billing_events',
  {
    /** Stripe's own, so that a repetition is seen. */
    id: text('id').primaryKey(),
    type: text('type').notNull(),
    live: integer('live', { mode: 'boolean' }).notNull(),
    /** Whom it concerns; null when it concerns no customer. */
    customerId: text('customer_id'),
    status: text('status', { enum: eventStatuses }).notNull(),
    attempts: integer('attempts').notNull(),
    nextAt: integer('next_at').notNull(),
    /** When it happened, by Stripe's clock. */
    createdAt: integer('created_at').notNull(),
    receivedAt: integer('received_at').notNull(),
    finishedAt: integer('finished_at'),
    /** Why the last attempt failed. */
    error: text('error'),
  },
  table => [
    index('billing_events_due').on(table.status, table.nextAt),
    index('billing_events_by_age').on(table.receivedAt),
  ],
)
export type BillingEvent = typeof events.$inferSelect

/** What cardholders' banks wanted back, as it was when last read. Amounts are in the currency's smallest unit. */
export const disputes = sqliteTable('billing_disputes', {
  id: text('id').primaryKey(),
  live: integer('live', { mode: 'boolean' }).notNull(),
  customerId: text('customer_id'),
  amount: integer('amount').notNull(),
  currency: text('currency').notNull(),
  reason: text('reason').notNull(),
  status: text('status').notNull(),
  /** Until when Stripe takes an answer; null when it waits for none. */
  answerBy: integer('answer_by'),
  createdAt: integer('created_at').notNull(),
})
export type Dispute = typeof disputes.$inferSelect

/** One an account, for ever. */
export const trials = sqliteTable('billing_trials', {
  accountId: text('account_id').primaryKey(),
  startedAt: integer('started_at').notNull(),
  endsAt: integer('ends_at').notNull(),
})

/** How each account stood when it was last looked at, and since when. */
export const standings = sqliteTable('billing_standings', {
  accountId: text('account_id').primaryKey(),
  state: text('state').$type<State>().notNull(),
  since: integer('since').notNull(),
  /** How it stood before that. */
  previous: text('previous').$type<State>(),
})

/** What the operator asks no payment of, with who said so and why; an exemption that has ended stays as it was. */
export const exemptions = sqliteTable(
  'billing_exemptions',
  {
    id: text('id').primaryKey(),
    accountId: text('account_id').notNull(),
    /** The plan whose limits hold meanwhile, by its id in the settings. */
    planId: text('plan_id').notNull(),
    /** In words that its owner reads too. */
    why: text('why').notNull(),
    /** Who said so. */
    by: text('by').notNull(),
    since: integer('since').notNull(),
    endedAt: integer('ended_at'),
    endedBy: text('ended_by'),
    endedWhy: text('ended_why'),
  },
  table => [
    uniqueIndex('billing_exemptions_open').on(table.accountId).where(sql`${table.endedAt} is null`),
    index('billing_exemptions_account').on(table.accountId),
  ],
)
export type Exemption = typeof exemptions.$inferSelect
