import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { badRequest, diskFull, invalidFields } from '../../../src/http/problem.ts'
import { isDiskFull } from '../../../src/storage/disk.ts'
import type { InstanceSummary } from '../../provisioner/contract.ts'
import { type BackupDb, requestCopy, updateCopy } from '../copies/copies.ts'
import { archiveTooLarge, backupFailed, noBackups } from '../problems.ts'
import type { CopyRow } from '../schema.ts'
import { type Store, StoreError } from '../store/store.ts'
import type { Spool } from './spool.ts'
import { atMost, TooLargeError } from './upload-body.ts'

const uploadWithinMs = 4 * 3_600_000

export interface TakingParts {
  db: BackupDb
  now(): number
  /** Proves that a copy works; calls back with the instance that it is of. */
  prove(row: CopyRow, seen: (instanceId: string | null) => void): Promise<CopyRow>
  spool: Spool
  /** Where copies are tried. */
  scratch: string
}

/** What holds for archives of owners, who see no details of the host. */
export interface OwnersRules {
  uploadBytes: number
  unpackedBytes: number
  /** Whether an archive of another instance is taken as well. */
  isForeignToo: boolean
}

export interface UploadedArchive {
  row: CopyRow
  instance: InstanceSummary
  archive: Readable
  store: Store
}

/** Records that an archive arrives. It is for no operation, and never made by the maker: it is `kept` or `failed` at the end. */
export function beginUpload(
  { db, now }: Pick<TakingParts, 'db' | 'now'>,
  instance: InstanceSummary,
): CopyRow {
  const row = requestCopy(db, instance, 'upload', now(), `upload ${crypto.randomUUID()}`)
  return updateCopy(db, row.id, { status: 'failed', error: 'the upload was interrupted' })
}

/**
 * Keeps an archive as a copy of an instance once it is proven to work. Throws in words, with nothing changed, when it is not.
 *
 * 1. Receive it on the disk: nothing waits for its client.
 * 2. Ask `mayStill`, which rejects if the client has lost its access meanwhile.
 * 3. Write it to the store, and prove it from there.
 */
export async function takeArchive(
  parts: TakingParts,
  { row, instance, archive, store }: UploadedArchive,
  { mayStill, rules = null }: { mayStill: () => Promise<void>; rules?: OwnersRules | null },
): Promise<CopyRow> {
  const { db, spool, prove } = parts
  const tags = { copy: row.id, instance: instance.id, name: instance.subdomain, reason: 'upload', image: '' }
  const signal = AbortSignal.timeout(uploadWithinMs)
  const limits = rules ?? { uploadBytes: Number.POSITIVE_INFINITY, unpackedBytes: Number.POSITIVE_INFINITY }
  const refused = (error: Error) => {
    updateCopy(db, row.id, { error: error.message })
    return refusal(error, rules !== null)
  }
  const bounded = atMost(limits.uploadBytes, 'the archive has')
  const feeding = pipeline(archive, bounded, { signal })
  feeding.catch(() => {})
  const received = await spool.receive(bounded, signal).catch(async (error: Error) => {
    // What the client did says more than that its stream ended.
    const cause = await feeding.then(
      () => error,
      (failure: Error) => failure,
    )
    throw refused(isDiskFull(error) ? error : cause)
  })
  let kept: Awaited<ReturnType<Store['put']>>
  try {
    await mayStill().catch((error: Error) => {
      updateCopy(db, row.id, { error: error.message })
      throw error
    })
    // It may be called again: while another program has locked the store, it is tried anew.
    const write = (output: NodeJS.WritableStream) =>
      pipeline(
        received.read(),
        createGunzip(),
        atMost(limits.unpackedBytes, 'unpacked, the archive has'),
        output,
        { end: false, signal },
      )
    kept = await store.put(tags, write, signal).catch((error: Error) => {
      throw refused(error)
    })
  } finally {
    await received.close()
  }
  let identity: string | null = null
  const proven = await prove({ ...row, ...kept }, seen => {
    identity = seen
  }).catch((error: Error) => {
    // There was no space to try it.
    updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error: error.message })
    throw rules ? away() : error
  })
  const isForeign = rules !== null && !rules.isForeignToo && identity !== instance.id
  if (proven.fault === null && !isForeign)
    return updateCopy(db, row.id, { ...kept, status: 'kept', error: null })
  const whose =
    identity === null ? 'that does not say of which instance it is' : `of another instance (${identity})`
  const error = proven.fault ?? `it is one ${whose}`
  updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error })
  if (proven.fault === null)
    throw invalidFields([{ path: 'foreign', message: `must be true to bring in an archive ${whose}` }])
  const words = rules ? withoutPlaces(proven.fault, parts.scratch) : proven.fault
  throw badRequest(`The archive does not work: ${words}. Nothing was changed.`)
}

/** Why an archive was not taken in. Owners see no details of the host. */
function refusal(error: Error, isForOwner: boolean): Error {
  const why = error.message
  if (error instanceof TooLargeError) return archiveTooLarge(`${why}. Nothing was changed.`)
  const isOurs = error instanceof StoreError || isDiskFull(error)
  if (!isOurs) return badRequest(`The archive could not be read: ${why}. Nothing was changed.`)
  if (isForOwner) return away()
  return isDiskFull(error)
    ? diskFull(`The archive could not be taken in: ${why}. Nothing was changed.`)
    : backupFailed(`${why}. Nothing was changed.`)
}

/** What was found about an archive, without the folder of the host that it was tried in. */
function withoutPlaces(fault: string, scratch: string): string {
  const begin = `could not prove ${scratch}/`
  const words = fault.startsWith(begin) ? fault.slice(fault.indexOf(': ', begin.length) + 2) : fault
  return words.replaceAll(new RegExp(`${RegExp.escape(scratch)}/[^/\\s]*/?`, 'g'), '')
}

export function away(): Error {
  return noBackups(
    'Archives cannot be taken in now. Nothing was changed. Try again later, or ask the operator.',
  )
}
