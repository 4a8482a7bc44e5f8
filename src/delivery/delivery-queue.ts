import { and, asc, count, desc, eq, gt, inArray, lte } from 'drizzle-orm'
import { integer, type SQLiteColumn, type SQLiteTable, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Clock } from '../clock.ts'
import type { Db } from '../storage/database.ts'
import { afterFailure, latestAttempt } from './failed-attempt.ts'

export const deliveryStatuses = ['queued', 'sending', 'sent', 'failed'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** The columns that every table of messages needs. */
const common = sqliteTable('', {
  id: text('id').primaryKey(),
  status: text('status', { enum: deliveryStatuses }).notNull(),
  attempts: integer('attempts').notNull(),
  nextAt: integer('next_at').notNull(),
  createdAt: integer('created_at').notNull(),
  finishedAt: integer('finished_at'),
  /** Why the last attempt failed. */
  error: text('error'),
})
type Common = typeof common.$inferSelect

/** The initial values of a message queued at `now`. */
export function queuedAt(now: number) {
  return { status: 'queued' as const, attempts: 0, nextAt: now, createdAt: now }
}

/**
 * A queue of messages in a table, delivered one at a time, oldest first. Each message is claimed, attempted, retried
 * with growing delays and finally given up. The table is the delivery log too.
 */
export function createDeliveryQueue<T extends SQLiteTable & Record<keyof Common, SQLiteColumn>>(options: {
  db: Pick<Db<Record<string, unknown>>, 'select' | 'update'>
  table: T & { $inferSelect: Common }
  clock: Clock
  /** Delivers a message; throws when it fails, see `DeliveryError`. */
  deliver(message: T['$inferSelect']): Promise<void>
  /** Called after each failed attempt. */
  failed(message: T['$inferSelect'], facts: { attempts: number; error: string }): void
}) {
  const { db, clock, deliver, failed } = options
  // Drizzle types each table differently; here only the common columns matter.
  const table = options.table as unknown as typeof common

  const attempt = async (message: Common) => {
    const key = eq(table.id, message.id)
    const attempts = message.attempts + 1
    // The caller that changes it from queued to sending sends it.
    const queued = and(key, eq(table.status, 'queued'))
    const claimed = db.update(table).set({ status: 'sending', attempts }).where(queued).run().changes
    if (claimed === 0) return
    const end = (change: Partial<Common>) => void db.update(table).set(change).where(key).run()
    try {
      await deliver(message)
      end({ status: 'sent', error: null, finishedAt: clock.now() })
    } catch (error) {
      const next = afterFailure(error, attempts, clock.now())
      failed(message, { attempts, error: next.error })
      end(next)
    }
  }

  return {
    /** Attempts all due messages, in order. */
    flush: async (signal?: AbortSignal): Promise<void> => {
      const latest = latestAttempt(table.attempts, clock.now())
      db.update(table)
        .set({ nextAt: latest })
        .where(and(eq(table.status, 'queued'), gt(table.nextAt, latest)))
        .run()
      const due = db
        .select()
        .from(table)
        .where(and(eq(table.status, 'queued'), lte(table.nextAt, clock.now())))
        .orderBy(asc(table.createdAt))
        .limit(100)
        .all()
      for (const message of due) {
        if (signal?.aborted) return
        await attempt(message)
      }
    },

    /**
     * Requeues messages of a program that ended while it was sending. They keep their id, because they may have
     * arrived.
     */
    takeBack: () => void db.update(table).set({ status: 'queued' }).where(eq(table.status, 'sending')).run(),

    /** Attempts a waiting or given-up message again now. Returns false if there is no such message. */
    again: (id: string): boolean =>
      db
        .update(table)
        .set({ status: 'queued', nextAt: clock.now(), finishedAt: null })
        .where(and(eq(table.id, id), inArray(table.status, ['queued', 'failed'])))
        .run().changes > 0,

    /** Lists messages, newest first. */
    list: ({ limit, offset }: { limit: number; offset: number }) => ({
      messages: db
        .select()
        .from(table)
        .orderBy(desc(table.createdAt), desc(table.id))
        .limit(limit)
        .offset(offset)
        .all() as T['$inferSelect'][],
      total: db.select({ total: count() }).from(table).get()?.total ?? 0,
    }),
  }
}
