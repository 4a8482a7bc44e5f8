import type { Logger } from '../../../src/log.ts'
import type { ProvisionerDb } from '../records/instance.ts'

/** What one round changes at most: with thousands of instances, the program must not stand still for one round. */
const mostInRound = 256
/** What one transaction changes at most: requests are answered between one and the next. */
const mostAtOnce = 16

/**
 * What the reconciler has found and has yet to write down. Changes are made a few to a transaction, for each transaction
 * waits for the disk; `made` is called after each.
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

  /** Whether this round may make another. */
  get hasRoom(): boolean {
    return this.#left > 0
  }

  beginRound(): void {
    this.#left = mostInRound
  }

  /** Lets one more be made, outside a round too. */
  makeRoom(): void {
    this.#left = Math.max(this.#left, 1)
  }

  /** Keeps room for one change of this round, which `addReserved` or `giveBack` ends. False when there is none left. */
  reserve(): boolean {
    if (this.#left <= 0) return false
    this.#left--
    return true
  }

  giveBack(): void {
    this.#left++
  }

  /** Has a change made with those of the same moment; what comes later, from a slow look, holds none of them up. */
  add(change: () => void): void {
    this.#left--
    this.addReserved(change)
  }

  /** The same for a change that has its room already. */
  addReserved(change: () => void): void {
    this.#waiting.push(change)
    if (this.#waiting.length === 1) setImmediate(() => void this.carryOut())
  }

  /** Makes the changes that wait; what is asked of the program meanwhile is answered in between. */
  async carryOut(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stopped) {
      this.#make(this.#waiting.splice(0, mostAtOnce))
      this.#made()
      await new Promise(resolve => setImmediate(resolve))
    }
    this.#made()
  }

  stop(): void {
    this.#stopped = true
  }

  /** Makes changes in one transaction; where that fails, each by itself, so that one does not keep the others back. */
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
