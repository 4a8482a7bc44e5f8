import { eq } from 'drizzle-orm'
import type { Db } from '../../../src/storage/database.ts'
import * as schema from '../schema.ts'

const { orders } = schema

export type FailedOrder = typeof orders.$inferSelect

const minuteMs = 60_000
/** Let's Encrypt refuses a name for an hour after five failures. */
const pausesMs = [5, 15, 30, 60, 6 * 60, 24 * 60].map(minutes => minutes * minuteMs)

/** The orders that failed, each with when it is tried again. */
export function failedOrders(db: Db<typeof schema>) {
  const of = (name: string): FailedOrder | null =>
    db.select().from(orders).where(eq(orders.name, name)).get() ?? null
  return {
    of,
    all: (): FailedOrder[] => db.select().from(orders).all(),
    /** Records a failure. `notBefore` is when the authority takes the next order, if it said so. */
    failed(name: string, fault: string, { now, notBefore = 0 }: { now: number; notBefore?: number }): void {
      const attempts = (of(name)?.attempts ?? 0) + 1
      const pauseMs = pausesMs[Math.min(attempts, pausesMs.length) - 1] as number
      const row = { name, attempts, fault, triedAt: now, retryAt: Math.max(now + pauseMs, notBefore) }
      db.insert(orders).values(row).onConflictDoUpdate({ target: orders.name, set: row }).run()
    },
    forget(name: string): void {
      db.delete(orders).where(eq(orders.name, name)).run()
    },
  }
}

export type FailedOrders = ReturnType<typeof failedOrders>
