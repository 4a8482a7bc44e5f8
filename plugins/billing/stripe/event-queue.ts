import { and, asc, count, desc, eq, gt, inArray, lt, lte } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { afterFailure, latestAttempt } from '../../../src/delivery/failed-attempt.ts'
import type { Logger } from '../../../src/log.ts'
import { type BillingEvent, events } from '../schema.ts'
import type { BillingDb } from './customers.ts'
import type { StripeEvent } from './objects.ts'

const keptMs = 90 * 86_400_000

/** Events of these types may change how a customer stands. Events of other types are kept and ignored. */
const relevant = /^(customer\.(created|updated|deleted|subscription\.)|checkout\.session\.|invoice\.)/
/** Dispute events name a charge but no customer, so all disputes are read again. */
const disputed = /^charge\.dispute\./

export interface EventQueueParts {
  db: BillingDb
  clock: Clock
  log: Logger
  /** Live mode at Stripe; events of the other mode are ignored. */
  live: boolean
  /** Reads a customer from Stripe. Resolves to the account; null when the customer is not ours. */
  read(customerId: string, signal: AbortSignal): Promise<string | null>
  readDisputes(signal: AbortSignal): Promise<void>
}

/**
 * Stripe's events: stored at once, processed later. An event only says which customer to read.
 *
 * 1. `take` stores a new event, as `queued` or `ignored`.
 * 2. `flush` claims the queued events that are due, as `working`, and reads each customer once.
 * 3. Success ends them as `done`, or as `ignored` when the customer is not ours.
 * 4. A failure puts them back with a backoff; after the last attempt, or a failure that is permanent, they are `failed`.
 * 5. `takeBack` returns to the queue what a program left as `working` when it ended.
 */
export class EventQueue {
  readonly #parts: EventQueueParts

  constructor(parts: EventQueueParts) {
    this.#parts = parts
  }

  /** Stores an event. Returns false when it is known already. */
  take(event: StripeEvent): boolean {
    const { db, clock, live } = this.#parts
    const now = clock.now()
    const types = event.customerId === null ? disputed : relevant
    const matters = event.live === live && types.test(event.type)
    const state = matters
      ? { status: 'queued' as const, finishedAt: null }
      : { status: 'ignored' as const, finishedAt: now }
    const row = { ...event, ...state, attempts: 0, nextAt: now, receivedAt: now }
    return db.insert(events).values(row).onConflictDoNothing().run().changes > 0
  }

  /** Processes every event that is due. A customer is read once, however many events there are about it. */
  async flush(signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#parts
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
      await this.#process(customerId, group, signal)
    }
  }

  /** Returns to the queue the events that a program was processing when it ended. */
  takeBack(): void {
    this.#parts.db.update(events).set({ status: 'queued' }).where(eq(events.status, 'working')).run()
  }

  /** Makes an event that waits or has failed due now. Returns false when there is no such event. */
  retry(id: string): boolean {
    const { db, clock } = this.#parts
    return (
      db
        .update(events)
        .set({ status: 'queued', nextAt: clock.now(), attempts: 0, finishedAt: null })
        .where(and(eq(events.id, id), inArray(events.status, ['queued', 'failed'])))
        .run().changes > 0
    )
  }

  /** One page of the log, newest first, and the total number of events. */
  list({ limit, offset }: { limit: number; offset: number }): { events: BillingEvent[]; total: number } {
    const { db } = this.#parts
    return {
      events: db
        .select()
        .from(events)
        .orderBy(desc(events.receivedAt), desc(events.id))
        .limit(limit)
        .offset(offset)
        .all(),
      total: db.select({ total: count() }).from(events).get()?.total ?? 0,
    }
  }

  /** Counts the events that are still queued or failed, 15 minutes or more after they arrived. */
  troubled(): number {
    const { db, clock } = this.#parts
    const old = lt(events.receivedAt, clock.now() - 15 * 60_000)
    const stuck = and(inArray(events.status, ['queued', 'failed']), old)
    return db.select({ total: count() }).from(events).where(stuck).get()?.total ?? 0
  }

  /** Deletes processed events after 90 days. */
  prune(): void {
    const { db, clock } = this.#parts
    const old = lt(events.receivedAt, clock.now() - keptMs)
    db.delete(events)
      .where(and(inArray(events.status, ['done', 'ignored']), old))
      .run()
  }

  async #process(
    customerId: string | null,
    due: readonly BillingEvent[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log } = this.#parts
    const claimed = due.filter(event => this.#claim(event))
    if (claimed.length === 0) return
    const ids = claimed.map(({ id }) => id)
    try {
      const ours = await this.#read(customerId, signal)
      this.#finish(ids, { status: ours ? 'done' : 'ignored', error: null, finishedAt: clock.now() })
    } catch (cause) {
      if (signal.aborted) return this.#finish(ids, { status: 'queued' })
      const { message: error } = cause as Error
      log.warn({ customer: customerId, events: ids.length, error }, 'could not process Stripe events')
      for (const { id, attempts } of claimed)
        this.#finish([id], afterFailure(cause, attempts + 1, clock.now()))
    }
  }

  /** Only the caller that moves an event from queued to working processes it. */
  #claim({ id, attempts }: BillingEvent): boolean {
    return (
      this.#parts.db
        .update(events)
        .set({ status: 'working', attempts: attempts + 1 })
        .where(and(eq(events.id, id), eq(events.status, 'queued')))
        .run().changes > 0
    )
  }

  /** Reads the customer, or all disputes when there is none. Resolves to false when the customer is not ours. */
  async #read(customerId: string | null, signal: AbortSignal): Promise<boolean> {
    const { read, readDisputes } = this.#parts
    if (customerId !== null) return (await read(customerId, signal)) !== null
    await readDisputes(signal)
    return true
  }

  #finish(ids: readonly string[], change: Partial<BillingEvent>): void {
    this.#parts.db
      .update(events)
      .set(change)
      .where(inArray(events.id, [...ids]))
      .run()
  }
}
