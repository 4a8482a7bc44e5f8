import type { Readable, Writable } from 'node:stream'
import type { CopyReason, InstanceSummary } from './instance-wire.ts'

/**
 * Asked before the retention timer deletes a volume: words why it must stay, or null. One that throws, or takes more than
 * a minute, keeps it too.
 */
export type PurgeCheck = (instance: InstanceSummary, signal: AbortSignal) => Promise<string | null>

/** What an instance's page shows about its copies. */
export interface CopiesOverview {
  /** Why no copies can be made now, in words; null when they can. */
  fault: string | null
  /** When a copy was last proven to work, and when that copy was made; null when none was. */
  lastProven: { at: number; createdAt: number } | null
  /** The newest ones, newest first. Only those that are `kept` can be restored. */
  copies: readonly {
    id: string
    reason: CopyReason
    status: 'waiting' | 'kept' | 'failed'
    createdAt: number
    bytes: number | null
    provenAt: number | null
    /** Why it could not be made, or does not work. */
    error: string | null
  }[]
}

/** What makes copies of instances and brings them back. The provisioner asks it before it changes or deletes data. */
export interface VolumeCopies {
  /** Throws `unknown-backup` unless there is such a copy of this instance. */
  require(instanceId: string, copyId: string): { createdAt: number }
  /** Returns the id of the instance that a kept copy is of, purged or not; null when there is no such copy. */
  instanceOf(copyId: string): string | null
  /**
   * Makes a copy of the volume as it is now, once for each `operationId`. Returns a few words for the journal, also where no
   * copies can be made. Throws when the copy fails.
   */
  keep(work: {
    instance: Pick<InstanceSummary, 'id' | 'subdomain'>
    operationId: string
    reason: CopyReason
    signal: AbortSignal
  }): Promise<string>
  /**
   * Unpacks a copy into an empty folder and checks it. When no one has chosen it, and it cannot be unpacked, the next best one of its
   * instance takes its place. Returns a few words for the journal.
   */
  unpack(work: { copyId: string; isChosen: boolean; folder: string; signal: AbortSignal }): Promise<string>
  overview(instanceId: string): CopiesOverview
  /** Every instance that copies are kept of, with a record or without. */
  instances(): { instanceId: string; subdomain: string; copies: number; bytes: number; newestAt: number }[]
  /** Has a copy made soon. */
  request(instance: Pick<InstanceSummary, 'id' | 'subdomain'>, reason: CopyReason): void
}

/** Work on a folder of the host with the rights of an instance: see `Driver.workOnFolder`. */
export interface VolumeWork {
  command: 'pack' | 'unpack' | 'settle' | 'prove' | 'carry'
  folder: string
  options?: object
  input?: Readable
  /** It is not ended: only a resolved call says that everything was written. */
  output?: Writable
  signal: AbortSignal
}
