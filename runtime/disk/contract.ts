import type { DiskLevel } from '../../src/storage/disk-limit.ts'

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
  /** When it was measured. */
  at: number
  /** The largest first. */
  parts: readonly DiskPart[]
}
