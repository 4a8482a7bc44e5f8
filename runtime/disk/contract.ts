import type { DiskLevel } from '../../src/storage/disk-limit.ts'
import type { EnforcedQuota } from '../volume/contract.ts'

export const partNames = [
  'job-data',
  'history',
  'packages',
  'run-logs',
  'builds',
  'database',
  'cache',
] as const
/** Something in the volume that takes space. */
export type PartName = (typeof partNames)[number]

export interface DiskPart {
  name: PartName
  bytes: number
}

/** How much of the disk the volume takes. */
export interface DiskState {
  usedBytes: number
  /** Null for no limit. */
  limitBytes: number | null
  level: DiskLevel
  /** Where the file system itself stops it; null where it is only watched. */
  quota: EnforcedQuota | null
  /** When it was measured. */
  at: number
  /** The largest first. */
  parts: readonly DiskPart[]
}
