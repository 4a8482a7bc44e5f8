import { setImmediate as nextRound } from 'node:timers/promises'
import type { Logger } from '../../../src/log.ts'
import type { ProvisionerDb } from '../records/instance.ts'

/** The most that one round changes: with thousands of instances, a round must not block the program. */
const mostInRound = 256
/** The most that one transaction changes: requests are answered between transactions. */
const mostAtOnce = 16

/**
 * Changes that the reconciler has decided on and not yet written. Each transaction waits for the disk, so it makes several of
 * them; `made` is called after each transaction.
 */
export class Changes {
  readonly #db: ProvisionerDb
  readonly #log: Logger
  readonly #made: () => void
  #waiting: (() => void)[] = []
  #left = 0
  #stopped = false

  constructor({ fleet, log }: { fleet: { db: ProvisionerDb }; log: Logger }, made: () => void) {
    this.#db = fleet.db
    this.#log = log
    this.#made = made
  }

  /** Whether this round may make another change. */
  get hasRoom(): boolean {
    return this.#left > 0
  }

  beginRound(): void {
    this.#left = mostInRound
  }

  /** Makes room for one change, outside a round too. */
  makeRoom(): void {
    this.#left = Math.max(this.#left, 1)
  }

  /** Reserves room for one change, until `addReserved` or `giveBack`. Returns false when there is none left. */
  reserve(): boolean {
    if (this.#left <= 0) return false
    this.#left--
    return true
  }

  giveBack(): void {
    this.#left++
  }

  /** Queues a change. Those of one moment are made together, and do not wait for later ones, from slow looks. */
  add(change: () => void): void {
    this.#left--
    this.addReserved(change)
  }

  /** The same for a change that has room reserved. */
  addReserved(change: () => void): void {
    this.#waiting.push(change)
    if (this.#waiting.length === 1) setImmediate(() => void this.carryOut())
  }

  /** Makes the queued changes; requests are answered between transactions. */
  async carryOut(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stopped) {
      this.#make(this.#waiting.splice(0, mostAtOnce))
      this.#made()
      await nextRound()
    }
    this.#made()
  }

  stop(): void {
    this.#stopped = true
  }

  /** Makes changes in one transaction; if that fails, each in its own, so that one bad change blocks no other. */
  #make(changes: readonly (() => void)[]): void {
    try {
      this.#db.transaction(() => {
        for (const change of changes) change()
      })
    } catch (error) {
      if (changes.length > 1) for (const change of changes) this.#make([change])
      else this.#log.error({ err: error }, 'what a round found could not be written down')
    }
  }
}
