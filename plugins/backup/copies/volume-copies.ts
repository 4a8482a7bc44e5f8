import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type Clock, timestamp } from '../../../src/clock.ts'
import { isFolderFinding, type ProvisionerService, type VolumeCopies } from '../../provisioner/contract.ts'
import type { OpenStore } from '../store/open-store.ts'
import { StoreError } from '../store/store.ts'
import {
  type BackupDb,
  copiedInstances,
  findCopy,
  lastProvenOf,
  recentCopies,
  requestCopy,
  requireCopy,
  restorableCopies,
  updateCopy,
} from './copies.ts'
import type { CopyMaker } from './making.ts'

export interface CopyParts {
  db: BackupDb
  provisioner: ProvisionerService
  store: OpenStore
  maker: CopyMaker
  clock: Clock
  /** Whether copies of purged instances are kept for some time. */
  keepsPurged: boolean
  /** Has the copies that wait made. */
  nudge(): void
}

/** Copies on an instance's page. */
const mostShown = 8

/** What the provisioner asks before it changes or deletes data, and what it restores from. */
export function volumeCopies(parts: CopyParts): VolumeCopies {
  const { db, store, maker, clock, keepsPurged, nudge } = parts
  return {
    require: (instanceId, copyId) => requireCopy(db, instanceId, copyId),
    instanceOf: copyId => {
      const row = findCopy(db, copyId)
      return row?.status === 'kept' ? row.instanceId : null
    },
    overview: instanceId => ({
      fault: store.fault(),
      lastProven: lastProvenOf(db, instanceId),
      copies: recentCopies(db, instanceId, mostShown).map(row => ({
        ...{ id: row.id, reason: row.reason, createdAt: row.createdAt, bytes: row.bytes },
        status: row.status === 'forgotten' ? 'failed' : row.status,
        provenAt: row.provenAt,
        error: row.error ?? row.fault,
      })),
    }),
    instances: () => copiedInstances(db),
    request: (instance, reason) => {
      const image = imageOf(parts, instance.id)
      requestCopy(db, { ...instance, image }, reason, clock.now(), null, copyId => maker.hasBegun(copyId))
      queueMicrotask(nudge)
    },
    keep: async ({ instance, operationId, reason, signal }) => {
      if (reason === 'purge' && !keepsPurged) return 'no backups of purged instances are kept'
      await store.ready().catch(error => {
        // An operator who never installed it makes copies in another way.
        if (!store.missing()) throw notMade((error as Error).message, error)
      })
      if (store.missing()) return 'no backup: restic is not installed'
      const image = imageOf(parts, instance.id)
      let row = requestCopy(db, { ...instance, image }, reason, clock.now(), operationId)
      // An earlier try of the operation may have failed, or its copy may be waiting since a crash.
      if (row.status === 'failed') row = retried(db, row.id)
      row = await maker.make(row.id, signal)
      if (row.status !== 'kept') throw notMade(row.error ?? 'it was ended')
      return `${row.id}, ${inMebibytes(row.bytes)}`
    },
    unpack: async ({ copyId, isChosen, folder, signal }) => {
      let failure = ''
      const instanceId = findCopy(db, copyId)?.instanceId
      const others = isChosen || !instanceId ? [] : restorableCopies(db, instanceId).map(({ id }) => id)
      for (const id of new Set([copyId, ...others])) {
        const row = findCopy(db, id)
        try {
          if (row?.snapshot == null) throw new MissingCopy(`the backup ${id} is no longer there`)
          const { checked } = await readInto(parts, row.snapshot, { command: 'unpack', folder, signal })
          const which = failure && `${failure}. In its place, ${id} of ${timestamp(row.createdAt)}: `
          return `${which}${checked} files, ${inMebibytes(row.bytes)}`
        } catch (error) {
          const why = (error as Error).message
          if (signal.aborted || !(error instanceof MissingCopy || (await isOfCopy(store, error)))) throw error
          // It is known from now on, and not only to the operation.
          if (row?.snapshot) updateCopy(db, id, { provenAt: null, triedAt: clock.now(), fault: why })
          failure ||= why
          for (const name of await readdir(folder))
            await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 })
        }
      }
      throw new Error(failure)
    },
  }
}

function notMade(why: string, cause?: unknown): Error {
  return new Error(`no backup could be made, so nothing was changed: ${why}`, { cause })
}

class MissingCopy extends Error {}

/**
 * Whether an error is about the copy itself: the program for copies found it, or the store answers and cannot read this copy.
 * Any other says nothing about the copy.
 */
export async function isOfCopy(store: OpenStore, error: unknown): Promise<boolean> {
  return isFolderFinding(error) || (error instanceof StoreError && (await store.answers()))
}

/** Reads a copy into the program for copies, which checks its hashes. Returns its report, with the instance that it is of. */
export async function readInto(
  { store, provisioner }: Pick<CopyParts, 'store' | 'provisioner'>,
  snapshot: string,
  work: { command: 'unpack' | 'prove'; folder: string; signal: AbortSignal },
): Promise<{ checked: number; proved: readonly string[]; instanceId: string | null }> {
  const opened = await store.ready()
  const over = new AbortController()
  const signal = AbortSignal.any([work.signal, over.signal])
  const input = new PassThrough({ highWaterMark: 1024 * 1024 })
  // Ended without its end, the archive is refused.
  const reading = opened.read(snapshot, input, signal).catch(error => {
    input.destroy()
    throw error
  })
  reading.catch(() => {})
  try {
    const report = (await provisioner.workOnFolder({ ...work, signal, input })) as {
      files?: number
      checked?: string[]
      instanceId?: string | null
    }
    await reading
    const { files = 0, checked = [], instanceId = null } = report
    return { checked: files, proved: checked, instanceId }
  } catch (error) {
    // When the store fails, the program says only that the archive is incomplete.
    const cause = await Promise.race([
      reading.then(
        () => null,
        (failure: Error) => failure,
      ),
      new Promise<null>(resolve => setTimeout(() => resolve(null), 1000)),
    ])
    throw cause instanceof StoreError ? cause : error
  } finally {
    over.abort()
    input.destroy()
  }
}

function retried(db: BackupDb, id: string) {
  return updateCopy(db, id, { status: 'waiting', error: null })
}

function imageOf({ provisioner }: CopyParts, instanceId: string): string {
  return provisioner.byId(instanceId)?.image ?? ''
}

function inMebibytes(bytes: number | null): string {
  return `${((bytes ?? 0) / 1024 ** 2).toFixed(1)} MiB`
}
