/** From this share of the limit on, people are warned. */
const warnedShare = 0.8
/**
 * Beyond this share runs end. Between the limit and this, an instance still runs its jobs and records their history; only what people add is
 * refused.
 */
const endedShare = 1.1
export const diskLevels = ['well', 'warned', 'full', 'beyond'] as const
/** How a use of the disk stands to its limit. */
export type DiskLevel = (typeof diskLevels)[number]

export function diskLevel(usedBytes: number, limitBytes: number): DiskLevel {
  if (usedBytes >= limitBytes * endedShare) return 'beyond'
  if (usedBytes >= limitBytes) return 'full'
  return usedBytes >= limitBytes * warnedShare ? 'warned' : 'well'
}
