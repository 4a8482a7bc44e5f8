import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { and, asc, eq, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import { limit } from '../../../src/concurrency.ts'
import { diskFull, overloaded } from '../../../src/http/problem.ts'
import type { Logger } from '../../../src/log.ts'
import { isDiskFull } from '../../../src/storage/disk.ts'
import { notTried } from '../problems.ts'
import { type CopyRow, copies } from '../schema.ts'
import { StoreError } from '../store/store.ts'
import { findCopy, updateCopy } from './copies.ts'
import { type CopyParts, isOfCopy, readInto } from './volume-copies.ts'

/** Copies that one round proves: requests and other work come between rounds. */
const mostInRound = 20
/** Proofs at the same time, and those that wait: each unpacks a volume and starts a runtime. */
const atOnce = 2
const mostWaiting = 20
/** A copy that could not be tried is tried again after this long; one that did not work, after a day. */
const retryMs = 3_600_000
const retryFaultMs = 86_400_000

export interface ProvingParts extends CopyParts {
  /** Where copies are unpacked. */
  scratch: string
  /** How often the newest copy of an instance is proven; 0 never is. */
  everyMs: number
  log: Logger
  failed(copy: CopyRow, why: string): void
}

/** A proof that has ended: the record of the copy, and the instance that the archive says it is of. */
export interface Proof {
  row: CopyRow
  instanceId: string | null
}

/**
 * Proves copies to work: a copy is restored into a scratch folder and checked, and a runtime is started on it; see
 * `runtime/copy/proof.ts`. Only what that program finds counts against a copy. A store or an engine that does not answer says
 * nothing about it: its record stays, and it is tried again.
 */
export class Prover {
  readonly #parts: ProvingParts
  readonly #proving = new Map<string, Promise<Proof>>()
  readonly #untried = new Map<string, { at: number; why: string }>()
  readonly #bounded: ReturnType<typeof limit>

  constructor(parts: ProvingParts) {
    this.#parts = parts
    this.#bounded = limit(atOnce, mostWaiting, () =>
      overloaded('Too many backups are being tried. Try again when they are done; nothing was changed.'),
    )
  }

  /** Why the last copy that could not be tried was not, in words; null when all could. */
  untried(): string | null {
    for (const id of this.#untried.keys())
      if (findCopy(this.#parts.db, id)?.status !== 'kept') this.#untried.delete(id)
    return [...this.#untried.values()].at(-1)?.why ?? null
  }

  /** Proves each copy once, and the newest of each instance every `everyMs`, one after another. */
  async round(signal: AbortSignal): Promise<void> {
    const now = this.#parts.clock.now()
    const isAgain = ({ id }: CopyRow) => now - (this.#untried.get(id)?.at ?? 0) >= retryMs
    for (const row of dueForProof(this.#parts).filter(isAgain).slice(0, mostInRound)) {
      if (signal.aborted) return
      try {
        await this.prove(row, signal)
      } catch (error) {
        // The others would find no more space, and no store.
        if (isDiskFull(error) || (error as Error).cause instanceof StoreError) return
      }
    }
  }

  /**
   * Proves one copy, and records what came of it. One that is being proven is not proven twice at the same time. Throws
   * `disk-full`, `not-tried` or `overloaded` when it could not be tried: its record stays as it was.
   */
  async prove(row: CopyRow, signal: AbortSignal): Promise<Proof> {
    const going = this.#proving.get(row.id)
    if (going) return await going
    const proving = this.#bounded(() => this.#prove(row, signal)).finally(() => this.#proving.delete(row.id))
    this.#proving.set(row.id, proving)
    return await proving
  }

  async #prove(row: CopyRow, signal: AbortSignal): Promise<Proof> {
    const { db, provisioner, clock, log, scratch } = this.#parts
    const { id, subdomain } = row
    const folder = join(scratch, id)
    try {
      if (signal.aborted) return { row, instanceId: null }
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      await mkdir(scratch, { recursive: true, mode: 0o755 })
      await provisioner.makeFolder(folder)
      const work = { command: 'prove', folder, signal } as const
      const { proved, instanceId } = await readInto(this.#parts, row.snapshot ?? '', work)
      this.#untried.delete(id)
      // An upload may be of another instance, with its owner's consent.
      if (row.reason !== 'upload' && instanceId !== null && instanceId !== row.instanceId)
        return { row: this.#faulty(row, `it has the data of another instance, ${instanceId}`), instanceId }
      log.info({ subdomain, copy: id, proved }, 'a copy was proven to work')
      const done = updateCopy(db, id, { provenAt: clock.now(), triedAt: clock.now(), fault: null })
      return { row: done, instanceId }
    } catch (error) {
      if (signal.aborted) return { row, instanceId: null }
      if (await isOfCopy(this.#parts.store, error))
        return { row: this.#faulty(row, (error as Error).message), instanceId: null }
      throw this.#couldNotTry(row, error as Error)
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
    }
  }

  #faulty(row: CopyRow, why: string): CopyRow {
    const { db, clock, log, failed } = this.#parts
    const { id, subdomain } = row
    this.#untried.delete(id)
    const failedRow = updateCopy(db, id, { provenAt: null, triedAt: clock.now(), fault: why })
    // An upload is no copy before it is proven: that it does not work concerns only the person who uploaded it.
    if (row.status !== 'kept') {
      log.info({ subdomain, copy: id, why }, 'an uploaded archive does not work')
      return failedRow
    }
    log.error({ subdomain, copy: id, why }, 'a copy does not work')
    failed(failedRow, why)
    return failedRow
  }

  #couldNotTry(row: CopyRow, error: Error): Error {
    const { clock, log } = this.#parts
    const { id, subdomain } = row
    log.warn({ err: error, subdomain, copy: id }, 'a copy could not be tried')
    this.#untried.delete(id)
    this.#untried.set(id, { at: clock.now(), why: `${subdomain}: ${error.message}` })
    const words = `The backup could not be tried, and is kept: ${error.message}`
    return isDiskFull(error) ? diskFull(words, { cause: error }) : notTried(words, { cause: error })
  }
}

function dueForProof({ db, clock, everyMs }: Pick<ProvingParts, 'db' | 'clock' | 'everyMs'>): CopyRow[] {
  const newest = sql`${copies.createdAt} = (select max(created_at) from backup_copies as other where other.instance_id = ${copies.instanceId} and other.status = 'kept')`
  const before = (ms: number) => lt(copies.triedAt, clock.now() - ms)
  const again = or(before(everyMs), and(isNotNull(copies.fault), before(Math.min(everyMs, retryFaultMs))))
  return db
    .select()
    .from(copies)
    .where(and(eq(copies.status, 'kept'), or(isNull(copies.triedAt), and(newest, again))))
    .orderBy(asc(copies.triedAt), asc(copies.createdAt))
    .all()
}

/** Deletes what proofs that were killed left behind. */
export async function clearProofs(scratch: string): Promise<void> {
  await rm(scratch, { recursive: true, force: true, maxRetries: 3 })
}
