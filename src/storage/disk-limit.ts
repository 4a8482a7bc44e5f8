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

const mebibyte = 1024 ** 2
/** What a quota leaves above the limit: an instance ends its runs at 110 %, and still has to record why. */
const quotaShare = 0.2
const leastAbove = 64 * mebibyte
/** One file for so many bytes, as ext4 has inodes for; and enough for the packages of a small instance. */
const bytesForFile = 16 * 1024
const leastFiles = 200_000

/** Where a file system stops what a volume takes. */
export interface Quota {
  /** A multiple of a mebibyte, so that every file system keeps it as it is. */
  bytes: number
  /** How many files and folders. */
  files: number
}

/** The quota of a volume with this limit: above it, so that the instance itself speaks first. */
export function quotaOf(limitBytes: number): Quota {
  const above = Math.max(limitBytes * quotaShare, leastAbove)
  const bytes = Math.ceil((limitBytes + above) / mebibyte) * mebibyte
  return { bytes, files: Math.max(leastFiles, Math.floor(bytes / bytesForFile)) }
}

/**
 * The quota that a file system enforces on a volume, by what `statfs` of its folder says: with a project quota, that is the
 * quota instead of the disk. Null when it says anything else, such as the size of a disk.
 */
export function enforcedQuota(
  { blocks, bsize, files }: { blocks: number; bsize: number; files: number },
  limitBytes: number | null,
): Quota | null {
  if (limitBytes === null) return null
  const quota = quotaOf(limitBytes)
  // A small disk has room for fewer files than that.
  return blocks * bsize === quota.bytes && files <= quota.files ? { ...quota, files } : null
}
