import { constants, type Dirent } from 'node:fs'
import {
  chmod,
  copyFile,
  lchown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  symlink,
  utimes,
} from 'node:fs/promises'
import { join, sep } from 'node:path'
import { codeOf, type Place, placeIn } from './folder.ts'

/** Of a volume, what the runtime makes again: packages and caches. It is neither kept nor copied; see `bringAlong`. */
export const madeAgain = ['packages', 'cache', 'checks', 'tmp', 'certificates'] as const

const left: ReadonlySet<string> = new Set([...madeAgain, 'longhouse.lock', 'longhouse.lock-journal'])

const linkedFolders = ['runs', join('jobs', '.git', 'objects')]

/** Files of one folder that are cloned at the same time. */
const atOnce = 16

/**
 * Makes a clone of a volume that nothing uses, as it is now: owners, modes, times and links too. Where the file system can, files
 * share their blocks until one of them changes. Objects of the jobs repo and logs of runs are hard links: git never changes an object
 * in place, and no run is in progress that writes its log. All else is copied, because a newer runtime may change it: databases, references, the index, files of jobs.
 */
export async function cloneVolume(from: string, to: string): Promise<{ files: number }> {
  const files = await cloneFolder(from, to, '')
  // What a migration changes must be here even after a power cut. All else is unchanged in the volume, as a rule.
  await flush(join(to, 'longhouse.db'))
  return { files }
}

/** `path` is the folder's place in the volume. Names are bytes: a tenant's need not be UTF-8. */
async function cloneFolder(from: Place, to: Place, path: string): Promise<number> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  const entries = (await readdir(from, { withFileTypes: true, encoding: 'buffer' })).filter(
    ({ name }) => path !== '' || !left.has(name.toString()),
  )
  const isLinked = linkedFolders.some(each => path === each || path.startsWith(each + sep))
  let files = 0
  const plain = entries.filter(entry => !entry.isDirectory())
  for (let next = 0; next < plain.length; next += atOnce) {
    const some = plain.slice(next, next + atOnce)
    await Promise.all(some.map(entry => cloneFile(entry, from, to, isLinked)))
    files += some.length
  }
  for (const entry of entries) {
    if (!entry.isDirectory()) continue
    const { name } = entry
    files += await cloneFolder(placeIn(from, name), placeIn(to, name), join(path, name.toString()))
  }
  await takeAfter(from, to)
  return files
}

/** Sockets and pipes are left out: they mean nothing without the process that made them. */
async function cloneFile(
  entry: Dirent<Buffer>,
  folder: Place,
  target: Place,
  isLinked: boolean,
): Promise<void> {
  const [from, to] = [placeIn(folder, entry.name), placeIn(target, entry.name)]
  if (entry.isSymbolicLink()) {
    await symlink(await readlink(from, 'buffer'), to)
    if (process.getuid?.() === 0) {
      const { uid, gid } = await lstat(from)
      await lchown(to, uid, gid)
    }
    return
  }
  if (!entry.isFile()) return
  if (isLinked && (await linked(from, to))) return
  await copyFile(from, to, constants.COPYFILE_FICLONE)
  await takeAfter(from, to)
}

async function linked(from: Place, to: Place): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    // The file system has no hard links, or there are too many of this file.
    if (['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error))) return false
    throw error
  }
}

/** Gives a clone the owner, the mode and the times of its original. */
async function takeAfter(from: Place, to: Place): Promise<void> {
  const { uid, gid, mode, atime, mtime } = await lstat(from)
  if (process.getuid?.() === 0) await lchown(to, uid, gid)
  await chmod(to, mode & 0o7777)
  await utimes(to, atime, mtime)
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r').catch(error => {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  })
  try {
    await file?.sync()
  } finally {
    await file?.close()
  }
}
