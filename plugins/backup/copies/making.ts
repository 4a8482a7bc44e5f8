import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../src/clock.ts'
import { limit } from '../../../src/concurrency.ts'
import type { Logger } from '../../../src/log.ts'
import { readVolumeIdentity } from '../../../src/storage/volume-identity.ts'
import type { ProvisionerService } from '../../provisioner/contract.ts'
import type { CopyRow } from '../schema.ts'
import type { OpenStore } from '../store/open-store.ts'
import { type BackupDb, findCopy, updateCopy } from './copies.ts'

export interface MakingParts {
  db: BackupDb
  provisioner: ProvisionerService
  store: OpenStore
  clock: Clock
  log: Logger
  /** Copies that are made at the same time. */
  atOnce: number
  failed(copy: CopyRow, why: string): void
  made(copy: CopyRow): void
}

/** Makes copies: one of an instance at a time, and not more than `atOnce`. */
export class CopyMaker {
  readonly #parts: MakingParts
  readonly #making = new Map<string, Promise<CopyRow>>()
  readonly #begun = new Set<string>()
  readonly #bounded: ReturnType<typeof limit>
  readonly #stopping = new AbortController()

  constructor(parts: MakingParts) {
    this.#parts = parts
    this.#bounded = limit(parts.atOnce, Number.POSITIVE_INFINITY, () => new Error('unreachable'))
  }

  /**
   * Makes a copy that waits, and resolves with its record, whether it was made or failed. When `signal` aborts, or the program
   * stops, it goes on waiting.
   */
  async make(copyId: string, signal: AbortSignal = this.#stopping.signal): Promise<CopyRow> {
    for (;;) {
      const row = this.#row(copyId)
      if (row.status !== 'waiting' || signal.aborted || this.#stopping.signal.aborted) return row
      const other = this.#making.get(row.instanceId)
      if (!other) return await this.#begin(row, AbortSignal.any([signal, this.#stopping.signal]))
      await other.catch(() => {})
    }
  }

  /** Whether a copy is being made: what is written from now on may not be in it. */
  hasBegun(copyId: string): boolean {
    return this.#begun.has(copyId)
  }

  /**
   * Throws in words when what stands in the place of a volume is not the instance's own: a copy of it would be kept, and proven,
   * as one of the instance. Volumes that are older than the mark have none.
   */
  async requireOwn(volume: string, instanceId: string): Promise<void> {
    const mark = await readVolumeIdentity(volume)
    if (mark !== null && mark !== instanceId) throw foreign(volume, mark)
    if (mark === null && (await stat(join(volume, 'longhouse.db')).catch(() => null)) === null)
      throw new Error(`its volume is missing at ${volume}; nothing was backed up`)
  }

  /** Ends the work in progress. Its copies go on waiting, for the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.allSettled([...this.#making.values()])
  }

  async #begin(row: CopyRow, signal: AbortSignal): Promise<CopyRow> {
    const making = this.#bounded(() => this.#make(row, signal)).finally(() =>
      this.#making.delete(row.instanceId),
    )
    this.#making.set(row.instanceId, making)
    return await making
  }

  async #make(row: CopyRow, signal: AbortSignal): Promise<CopyRow> {
    const { db, provisioner, store, clock, log, made, failed } = this.#parts
    const { id, instanceId, subdomain, reason, image } = row
    this.#begun.add(id)
    const createdAt = clock.now()
    try {
      const volume = provisioner.byId(instanceId)?.volume
      if (volume === undefined) throw new Error('the instance is gone, with its volume')
      await this.requireOwn(volume, instanceId)
      let report: { unread?: unknown[]; instanceId?: string | null } = {}
      const tags = { copy: id, instance: instanceId, name: subdomain, reason, image }
      const kept = await (await store.ready()).put(
        tags,
        async output => {
          report = (await provisioner.workOnFolder({
            ...{ command: 'pack', folder: volume, output, signal },
          })) as typeof report
          // What was packed may stand there only since the look.
          if ((report.instanceId ?? instanceId) !== instanceId) throw foreign(volume, report.instanceId ?? '')
        },
        signal,
      )
      const done = updateCopy(db, id, {
        ...{ ...kept, createdAt, status: 'kept', error: null, unread: report.unread?.length ?? 0 },
        finishedAt: clock.now(),
      })
      log.info({ subdomain, copy: id, reason, ...kept }, 'a copy was made')
      made(done)
      return done
    } catch (error) {
      if (signal.aborted) return this.#row(id)
      const why = (error as Error).message
      log.error({ err: error, subdomain, copy: id, reason }, 'a copy could not be made')
      const row = updateCopy(db, id, { status: 'failed', error: why, finishedAt: clock.now() })
      failed(row, why)
      return row
    } finally {
      this.#begun.delete(id)
    }
  }

  #row(id: string): CopyRow {
    const row = findCopy(this.#parts.db, id)
    if (!row) throw new Error(`copy ${id} has no record`)
    return row
  }
}

function foreign(volume: string, mark: string): Error {
  return new Error(
    mark === ''
      ? `the volume at ${volume} does not say readably whose it is; nothing was backed up`
      : `the volume at ${volume} belongs to another instance, ${mark}; nothing was backed up`,
  )
}
