import { and, asc, count, desc, eq, gt, inArray, lt, lte } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { afterFailure, latestAttempt } from '../../../src/delivery/failed-attempt.ts'
import type { Logger } from '../../../src/log.ts'
import { type BillingEvent, events } from '../schema.ts'
import type { BillingDb } from './customers.ts'
import type { StripeEvent } from './objects.ts'

const keptMs = 90 * 86_400_000

/** What may change how a customer stands. Any other type is kept and nothing is done. */
const telling = /^(customer\.(created|updated|deleted|subscription\.)|checkout\.session\.|invoice\.)/
/** Dispute events name a charge but no customer, so all disputes are read again. */
const disputed = /^charge\.dispute\./

/** Stripe's events: taken in at once, worked later. They only say whom to ask about. */
export function createEventQueue(options: {
  db: BillingDb
  clock: Clock
  log: Logger
  live: boolean
  /** Reads what Stripe says of a customer; null when it is none of ours. */
  read(customerId: string, signal: AbortSignal): Promise<string | null>
  readDisputes(signal: AbortSignal): Promise<void>
}) {
  const { db, clock, log, live, read, readDisputes } = options

  const settle = (ids: readonly string[], change: Partial<BillingEvent>) =>
    void db
      .update(events)
      .set(change)
      .where(inArray(events.id, [...ids]))
      .run()

  /** Null when what they tell of is none of ours. `customerId` is null for disputes. */
  const ask = async (customerId: string | null, signal: AbortSignal) => {
    if (customerId !== null) return await read(customerId, signal)
    await readDisputes(signal)
    return 'disputes'
  }

  const work = async (customerId: string | null, due: readonly BillingEvent[], signal: AbortSignal) => {
    // Claimed one by one: only the caller that moves an event from queued to working processes it.
    const claimed = due.filter(({ id, attempts }) => {
      const key = and(eq(events.id, id), eq(events.status, 'queued'))
      return (
        db
          .update(events)
          .set({ status: 'working', attempts: attempts + 1 })
          .where(key)
          .run().changes > 0
      )
    })
    if (claimed.length === 0) return
    const ids = claimed.map(({ id }) => id)
    try {
      const about = await ask(customerId, signal)
      settle(ids, { status: about === null ? 'ignored' : 'done', error: null, finishedAt: clock.now() })
    } catch (cause) {
      if (signal.aborted) return settle(ids, { status: 'queued' })
      const { message: error } = cause as Error
      log.warn({ customer: customerId, events: ids.length, error }, 'an event could not be worked')
      for (const { id, attempts } of claimed) settle([id], afterFailure(cause, attempts + 1, clock.now()))
    }
  }

  return {
    /** Keeps an event; false when it is known. */
    take: (event: StripeEvent): boolean => {
      const now = clock.now()
      const tells = event.customerId === null ? disputed : telling
      const matters = event.live === live && tells.test(event.type)
      const state = matters
        ? { status: 'queued' as const, finishedAt: null }
        : { status: 'ignored' as const, finishedAt: now }
      const row = { ...event, ...state, attempts: 0, nextAt: now, receivedAt: now }
      return db.insert(events).values(row).onConflictDoNothing().run().changes > 0
    },

    /** Works everything that is due: a customer is asked about once, however many events there are of it. */
    flush: async (signal: AbortSignal): Promise<void> => {
      const latest = latestAttempt(events.attempts, clock.now())
      db.update(events)
        .set({ nextAt: latest })
        .where(and(eq(events.status, 'queued'), gt(events.nextAt, latest)))
        .run()
      const due = db
        .select()
        .from(events)
        .where(and(eq(events.status, 'queued'), lte(events.nextAt, clock.now())))
        .orderBy(asc(events.receivedAt))
        .limit(500)
        .all()
      for (const [customerId, group] of Map.groupBy(due, event => event.customerId)) {
        if (signal.aborted) return
        await work(customerId, group, signal)
      }
    },

    /** Of a program that ended while it was working. */
    takeBack: () =>
      void db.update(events).set({ status: 'queued' }).where(eq(events.status, 'working')).run(),

    /** Works an event that waits or was given up once more now. False when there is no such event. */
    again: (id: string): boolean =>
      db
        .update(events)
        .set({ status: 'queued', nextAt: clock.now(), attempts: 0, finishedAt: null })
        .where(and(eq(events.id, id), inArray(events.status, ['queued', 'failed'])))
        .run().changes > 0,

    /** Newest first. */
    list: ({ limit, offset }: { limit: number; offset: number }) => ({
      events: db
        .select()
        .from(events)
        .orderBy(desc(events.receivedAt), desc(events.id))
        .limit(limit)
        .offset(offset)
        .all(),
      total: db.select({ total: count() }).from(events).get()?.total ?? 0,
    }),

    /** How many wait for another attempt or were given up. */
    troubled: (): number =>
      db
        .select({ total: count() })
        .from(events)
        .where(
          and(inArray(events.status, ['queued', 'failed']), lt(events.receivedAt, clock.now() - 15 * 60_000)),
        )
        .get()?.total ?? 0,

    prune: () =>
      void db
        .delete(events)
        .where(and(inArray(events.status, ['done', 'ignored']), lt(events.receivedAt, clock.now() - keptMs)))
        .run(),
  }
}

export type EventQueue = ReturnType<typeof createEventQueue>
