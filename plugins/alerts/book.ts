import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lt, lte } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { newId } from '../../src/ids.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import type { Db } from '../../src/storage/database.ts'
import { decideRound, type Round, type RoundSettings } from './round.ts'
import type * as schema from './schema.ts'
import { type Alert, alerts, type Silence, silences } from './schema.ts'

/** Alerts that are over are kept this long. */
const keptMs = 90 * 86_400_000
const listedClosed = 100

/** The alerts and silences in the database. */
export class AlertBook {
  readonly #db: Db<typeof schema>
  readonly #clock: Clock

  constructor(db: Db<typeof schema>, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Writes down what a look at the concerns showed; `announce` is called in the same transaction. */
  round(concerns: readonly Concern[], settings: RoundSettings, announce: (round: Round) => void): void {
    const db = this.#db
    const now = this.#clock.now()
    db.transaction(() => {
      const round = decideRound(this.open(), concerns, this.silences(), {
        ...settings,
        now,
        newId: () => newId('alert', now),
      })
      for (const alert of round.open)
        db.insert(alerts).values(alert).onConflictDoUpdate({ target: alerts.id, set: alert }).run()
      if (round.over.length > 0)
        db.update(alerts).set({ closedAt: now }).where(inArray(alerts.id, round.over)).run()
      announce(round)
    })
  }

  /** Oldest first. */
  open(): Alert[] {
    return this.#db
      .select()
      .from(alerts)
      .where(isNull(alerts.closedAt))
      .orderBy(asc(alerts.openedAt), asc(alerts.id))
      .all()
  }

  /** The latest that are over, also those that were gone before operators would have been notified. */
  closed(): Alert[] {
    return this.#db
      .select()
      .from(alerts)
      .where(isNotNull(alerts.closedAt))
      .orderBy(desc(alerts.closedAt), desc(alerts.id))
      .limit(listedClosed)
      .all()
  }

  /** Those that have not ended, the next to end first. */
  silences(): Silence[] {
    return this.#db
      .select()
      .from(silences)
      .where(gt(silences.until, this.#clock.now()))
      .orderBy(asc(silences.until))
      .all()
  }

  silence(what: Pick<Silence, 'kind' | 'subdomain'>, forMs: number): Silence {
    const now = this.#clock.now()
    const row = { id: newId('silence', now), ...what, until: now + forMs, createdAt: now }
    this.#db.insert(silences).values(row).run()
    return row
  }

  /** False when there is no such silence, or it has ended. */
  endSilence(id: string): boolean {
    const now = this.#clock.now()
    const active = and(eq(silences.id, id), gt(silences.until, now))
    return this.#db.update(silences).set({ until: now }).where(active).run().changes > 0
  }

  prune(): void {
    const before = this.#clock.now() - keptMs
    this.#db.delete(alerts).where(lt(alerts.closedAt, before)).run()
    this.#db.delete(silences).where(lte(silences.until, before)).run()
  }
}
