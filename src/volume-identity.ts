import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** The file in a volume that says whose it is. */
export const identityFile = '.longhouse-volume'

const longest = 200

/**
 * The id of the instance that a volume belongs to; null when the volume does not say, '' when it cannot be made out. A
 * tenant may put anything there: no link is followed, and no pipe waited for. Throws what the disk throws.
 */
export function readVolumeIdentity(volume: string): string | null {
  let file: number
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    file = openSync(join(volume, identityFile), flags)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    // A link, or a socket.
    if (code === 'ELOOP' || code === 'ENXIO') return ''
    throw error
  }
  try {
    if (!fstatSync(file).isFile()) return ''
    const bytes = Buffer.alloc(longest)
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, longest, 0)).trim()
    return /^[A-Za-z0-9_-]{1,80}$/.test(text) ? text : ''
  } finally {
    closeSync(file)
  }
}

/** Writes into a volume whose it is: whole or not at all, over whatever has the name. */
export function writeVolumeIdentity(volume: string, instanceId: string): void {
  const draft = join(volume, `${identityFile}.new`)
  rmSync(draft, { recursive: true, force: true })
  const file = openSync(
    draft,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o644,
  )
  try {
    writeSync(file, `${instanceId}\n`)
  } finally {
    closeSync(file)
  }
  renameSync(draft, join(volume, identityFile))
}
