import { constants } from 'node:fs'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The file in a volume with its instance's id. */
export const identityFile = '.longhouse-volume'

const longest = 200

/**
 * The id of the instance that a volume belongs to; null if there is none, '' if it is unreadable. A tenant may put
 * anything there: follows no link, and waits for no pipe. Throws disk errors.
 */
export async function readVolumeIdentity(volume: string): Promise<string | null> {
  let file: FileHandle
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    file = await open(join(volume, identityFile), flags)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    // A link, or a socket.
    if (code === 'ELOOP' || code === 'ENXIO') return ''
    throw error
  }
  try {
    if (!(await file.stat()).isFile()) return ''
    const bytes = Buffer.alloc(longest)
    const { bytesRead } = await file.read(bytes, 0, longest, 0)
    const text = bytes.toString('utf8', 0, bytesRead).trim()
    return /^[A-Za-z0-9_-]{1,80}$/.test(text) ? text : ''
  } finally {
    await file.close()
  }
}

/**
 * Writes an instance's id to a volume, completely or not at all. Replaces only the mark `seen`: the value of
 * `readVolumeIdentity` when the volume was judged. Returns false, and writes nothing, if the volume has another mark
 * by now.
 */
export async function claimVolume(volume: string, instanceId: string, seen: string | null): Promise<boolean> {
  const [mark, draft] = [join(volume, identityFile), join(volume, `${identityFile}.new`)]
  const found = await readVolumeIdentity(volume)
  if (found === instanceId) return true
  if (found !== seen) return false
  await rm(draft, { recursive: true, force: true })
  const file = await open(
    draft,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o644,
  )
  try {
    await file.write(`${instanceId}\n`)
  } finally {
    await file.close()
  }
  if (seen !== null) {
    await rename(draft, mark)
    return true
  }
  try {
    // Creating a link, unlike a rename, replaces nothing.
    await link(draft, mark)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return (await readVolumeIdentity(volume)) === instanceId
  } finally {
    await rm(draft, { force: true })
  }
  return true
}
