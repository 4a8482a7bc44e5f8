import type { Writable } from 'node:stream'

/** What describes a copy in the store, so that its record can be made anew from the store alone. */
export interface CopyTags {
  copy: string
  instance: string
  name: string
  reason: string
  image: string
}

/** A copy as the store lists it. */
export interface StoredCopy {
  snapshot: string
  createdAt: number
  /** Null for a copy of the control plane's own records. */
  tags: CopyTags | null
}

/**
 * Where copies are kept: encrypted, and each piece of data only once. Errors are StoreErrors, in words for the operator. All
 * calls may run at the same time; those that delete wait until the others are done.
 */
export interface Store {
  /** Its address, without credentials. */
  readonly address: string
  /** Makes the store when it is new. `inUse`: copies are recorded, so one that is missing is not made anew. */
  open(options: { inUse: boolean }): Promise<void>
  /**
   * Keeps what `write` writes, under `tags`; null for the control plane's own records. When `write` rejects, nothing is kept, and
   * its error is thrown.
   */
  put(
    tags: CopyTags | null,
    write: (output: Writable) => Promise<void>,
    signal: AbortSignal,
  ): Promise<{ snapshot: string; bytes: number; storedBytes: number }>
  /** Writes a copy to `output`, and ends it only when everything was written. The store checks the data as it reads them. */
  read(snapshot: string, output: Writable, signal: AbortSignal): Promise<void>
  /** All copies that are in the store. */
  list(): Promise<StoredCopy[]>
  /** Deletes copies of one instance. A copy of another instance is not deleted, whatever its name. */
  forget(instanceId: string | null, snapshots: readonly string[]): Promise<void>
  /** Frees the space of what no copy needs any longer. */
  prune(): Promise<void>
}

export class StoreError extends Error {
  /** It is not there at all: a program is missing. Nothing but the operator changes that. */
  readonly missing: boolean

  constructor(message: string, { missing = false }: { missing?: boolean } = {}) {
    super(message)
    this.name = 'StoreError'
    this.missing = missing
  }
}
