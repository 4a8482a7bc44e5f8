import { constants, type Dirent } from 'node:fs'
import { access, type FileHandle, lchown, lstat, mkdir, open, readdir } from 'node:fs/promises'
import { DriverError } from '../../driver.ts'
import { type Place, placeIn } from '../../volumes/folder.ts'

export interface VolumeUser {
  uid: number
  gid: number
}

/**
 * Makes an instance's volume and, as root, gives everything in it to the user that the instance runs as: an operator
 * may have cloned a repository into it as another user. Deletes and overwrites nothing.
 */
export async function prepareVolume(path: string, user: VolumeUser): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o750 })
    const folder = await lstat(path)
    if (folder.isSymbolicLink())
      throw new DriverError(
        `the volume ${path} is a symbolic link; it must be a folder (another disk can be mounted there)`,
        { permanent: true },
      )
    if (process.getuid?.() === 0) await giveTo(path, user)
    else await mayUse(path, user)
  } catch (error) {
    throw inWords(path, user, error)
  }
}

/**
 * Looks for files of other users in the volume that the instance's user cannot work with, as after a clone by root: only root
 * can give files away, and a jobs repo that can be read and not written would fail later, silently. Files of that user are
 * not checked, whatever their mode.
 */
async function mayUse(path: Place, user: VolumeUser, depth = 0, shown = path.toString()): Promise<void> {
  if (depth >= deepest) return
  const { uid } = await lstat(path)
  if (uid !== user.uid) await usable(path, constants.R_OK | constants.W_OK | constants.X_OK, { uid, shown })
  const folder = await openFolder(path).catch(error => {
    if (codeOf(error) === 'EACCES' && depth > 0) return null
    throw error
  })
  if (!folder) return
  try {
    const inside = `/proc/self/fd/${folder.fd}`
    for (const entry of await readdir(inside, { withFileTypes: true, encoding: 'buffer' })) {
      const [at, name] = [placeIn(inside, entry.name), `${shown}/${entry.name}`]
      if (entry.isDirectory()) await mayUse(at, user, depth + 1, name)
      else if (entry.isFile()) await mayUseFile(at, user, name)
    }
  } finally {
    await folder.close()
  }
}

/** A file must be readable; it is replaced rather than written, but for a database. */
async function mayUseFile(file: Place, user: VolumeUser, shown: string): Promise<void> {
  const uid = await lstat(file).then(
    stats => stats.uid,
    () => user.uid,
  )
  if (uid === user.uid) return
  const written = /\.db(-wal|-shm)?$/.test(shown)
  await usable(file, constants.R_OK | (written ? constants.W_OK : 0), { uid, shown })
}

async function usable(at: Place, use: number, { uid, shown }: { uid: number; shown: string }): Promise<void> {
  try {
    await access(at, use)
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error
    throw Object.assign(new Error(`${shown} belongs to user ${uid}`, { cause: error }), { code: 'EACCES' })
  }
}

/** Deeper than any clone; each level holds a file descriptor, and a tenant may dig as deep as it likes. */
const deepest = 200

/**
 * Walks by open folders rather than by paths: the tenant owns what is in here, and may put a symbolic link to the
 * host's files where a folder was a moment ago. What a path below an open folder's descriptor names cannot lead out
 * of it, since the last part is never followed.
 */
async function giveTo(path: Place, user: VolumeUser, depth = 0): Promise<void> {
  const folder = depth < deepest ? await openFolder(path) : null
  if (!folder) return
  try {
    const self = await folder.stat()
    if (self.uid !== user.uid || self.gid !== user.gid) await folder.chown(user.uid, user.gid)
    const inside = `/proc/self/fd/${folder.fd}`
    const entries = await readdir(inside, { withFileTypes: true, encoding: 'buffer' })
    const isFolder = (entry: Dirent<Buffer>) => entry.isDirectory()
    await Promise.all(
      entries.filter(entry => !isFolder(entry)).map(({ name }) => giveFileTo(placeIn(inside, name), user)),
    )
    for (const { name } of entries.filter(isFolder)) await giveTo(placeIn(inside, name), user, depth + 1)
  } finally {
    await folder.close()
  }
}

async function giveFileTo(file: Place, user: VolumeUser): Promise<void> {
  try {
    const { uid, gid } = await lstat(file)
    if (uid !== user.uid || gid !== user.gid) await lchown(file, user.uid, user.gid)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Null when it has gone, or is no folder any more. */
async function openFolder(path: Place): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return null
    throw error
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}

function inWords(path: string, user: VolumeUser, error: unknown): DriverError {
  if (error instanceof DriverError) return error
  const reasons: Record<string, { words: string; permanent: boolean }> = {
    EEXIST: { words: 'something that is not a folder has this name', permanent: true },
    ENOTDIR: { words: 'a part of the path is not a folder', permanent: true },
    EACCES: {
      words: `${(error as Error).message}, and the instance could not work with it. Run: sudo chown -R ${user.uid}:${user.gid} ${path}`,
      permanent: true,
    },
    EROFS: { words: 'the file system is read-only', permanent: false },
    ENOSPC: { words: 'the disk is full', permanent: false },
    EDQUOT: { words: 'the disk quota is used up', permanent: false },
  }
  const reason = reasons[codeOf(error)]
  return new DriverError(
    `could not prepare the volume ${path}: ${reason?.words ?? (error as Error).message}`,
    {
      permanent: reason?.permanent ?? false,
      cause: error,
    },
  )
}
