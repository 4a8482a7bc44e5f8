import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Less space than this counts as none: a log and a record of a run would not fit. */
const leastBytes = 1024 * 1024

/** Throws with the reason if the folder cannot be written: the disk or a quota is full, or it is read-only. */
export function checkDisk(folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  const probe = join(folder, '.write-check')
  try {
    if (bavail * bsize < leastBytes) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    // The disk may have more space than this user may use.
    writeFileSync(probe, Buffer.alloc(4096))
    rmSync(probe)
  } catch (error) {
    rmSync(probe, { force: true })
    if (isDiskFull(error)) throw new Error('the disk is full', { cause: error })
    throw new Error(`nothing can be written (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
}

/** Makes a write that may be lost, such as a last-used time. Returns false, without throwing, when the disk is full. */
export function unlessFull(write: () => void): boolean {
  try {
    write()
    return true
  } catch (error) {
    if (isDiskFull(error)) return false
    throw error
  }
}

const codes = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])

/** True for the codes of missing space: the disk's, a quota's and SQLite's. */
export function isFullCode(code: string | undefined): boolean {
  return code !== undefined && codes.has(code)
}

/** True for the errors of the system and SQLite about missing space, even as the cause of other errors. */
export function isDiskFull(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++) {
    if (isFullCode((each as NodeJS.ErrnoException).code)) return true
  }
  return false
}
