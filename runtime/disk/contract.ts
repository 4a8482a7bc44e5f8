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
