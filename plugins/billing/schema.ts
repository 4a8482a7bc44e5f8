import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { eventStatuses, type State, type SubscriptionItem, type SubscriptionStatus } from './contract.ts'

/** Times are milliseconds since the epoch. Rows of Stripe's test mode never count in live mode, nor the reverse. */

/** The customer at Stripe that belongs to each account. */
export const customers = sqliteTable(
  'billing_customers',
  {
    accountId: text('account_id').notNull(),
    live: integer('live', { mode: 'boolean' }).notNull(),
    customerId: text('customer_id').notNull().unique(),
    createdAt: integer('created_at').notNull(),
    /** The email address that Stripe has; null when we do not know it. */
    syncedEmail: text('told_email'),
    /** When its subscriptions were last read from Stripe. */
    readAt: integer('read_at'),
    /** Why the last reading failed; null when it succeeded. */
    error: text('error'),
  },
  table => [primaryKey({ columns: [table.accountId, table.live] })],
)
export type Customer = typeof customers.$inferSelect

/** Stripe's subscriptions, as last read. */
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
    /** When it ends although it is paid; null when it renews. */
    cancelAt: integer('cancel_at'),
    endedAt: integer('ended_at'),
    /** Its items, in Stripe's order; null when it was read before items were stored. */
    items: text('items', { mode: 'json' }).$type<readonly SubscriptionItem[]>(),
    /** What Stripe does with invoices while collection is paused; null while it is not. */
    pauseBehavior: text('pause_behavior'),
    /** When collection resumes by itself; null when no time is set. */
    pauseEndsAt: integer('pause_ends_at'),
  },
  table => [index('billing_subscriptions_customer').on(table.customerId)],
)
export type Subscription = typeof subscriptions.$inferSelect

/** Stripe's events: the queue and the log. An event's content is not stored; the state is read from Stripe. */
export const events = sqliteTable(
  'billing_events',
  {
    /** Stripe's id, so that duplicates are recognized. */
    id: text('id').primaryKey(),
    type: text('type').notNull(),
    live: integer('live', { mode: 'boolean' }).notNull(),
    /** The customer that it is about; null for none. */
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

/** Disputes, as last read. Amounts are in the currency's smallest unit. */
export const disputes = sqliteTable('billing_disputes', {
  id: text('id').primaryKey(),
  live: integer('live', { mode: 'boolean' }).notNull(),
  customerId: text('customer_id'),
  amount: integer('amount').notNull(),
  currency: text('currency').notNull(),
  reason: text('reason').notNull(),
  status: text('status').notNull(),
  /** The deadline for a response; null when none is expected. */
  answerBy: integer('answer_by'),
  createdAt: integer('created_at').notNull(),
})
export type Dispute = typeof disputes.$inferSelect

/** Trials. An account gets one, ever. */
export const trials = sqliteTable('billing_trials', {
  accountId: text('account_id').primaryKey(),
  startedAt: integer('started_at').notNull(),
  endsAt: integer('ends_at').notNull(),
})

/** The billing state of each account at its last assessment, and since when. */
export const standings = sqliteTable('billing_standings', {
  accountId: text('account_id').primaryKey(),
  state: text('state').$type<State>().notNull(),
  since: integer('since').notNull(),
  /** The state before that. */
  previous: text('previous').$type<State>(),
})

/** Exemptions from payment, with who decided and why. Ended ones are kept as history. */
export const exemptions = sqliteTable(
  'billing_exemptions',
  {
    id: text('id').primaryKey(),
    accountId: text('account_id').notNull(),
    /** The id of the plan whose limits apply, as in the settings. */
    planId: text('plan_id').notNull(),
    /** The reason, which the owner sees too. */
    why: text('why').notNull(),
    /** Who decided it. */
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
