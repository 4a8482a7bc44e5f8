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
  rm,
  symlink,
  utimes,
} from 'node:fs/promises'
import { join, sep } from 'node:path'
import { identityFile } from '../../../src/storage/volume-identity.ts'
import { codeOf, namesIn, type Place, placeIn } from './folder.ts'

/** Of a volume, what the runtime makes again: packages and caches. It is neither kept nor copied; see `bringAlong`. */
export const madeAgain = ['packages', 'cache', 'checks', 'tmp', 'certificates'] as const

/** Not cloned, and left where they are in a volume that is filled anew. `lost+found` is the file system's. */
const left: ReadonlySet<string> = new Set([
  ...madeAgain,
  'longhouse.lock',
  'longhouse.lock-journal',
  'lost+found',
])

const database = 'longhouse.db'
const isDatabase = (name: string) => [database, `${database}-wal`, `${database}-journal`].includes(name)

const linkedFolders = ['runs', join('jobs', '.git', 'objects')]

/** Files of one folder that are cloned at the same time. */
const atOnce = 16

/**
 * Makes a clone of a volume that nothing uses, as it is now: owners, modes, times and links too. Where the file system can, files
 * share their blocks until one of them changes. Objects of the jobs repo and logs of runs are hard links: git never changes an object
 * in place, and no run is in progress that writes its log. All else is copied, because a newer runtime may change it: databases, references, the index, files of jobs.
 *
 * With `flush`, everything is on the disk afterwards, even after a power cut. Without it, only what a migration changes is: all else is
 * unchanged in the volume, as a rule.
 */
export async function cloneVolume(
  from: string,
  to: string,
  { flush = false }: { flush?: boolean } = {},
): Promise<{ files: number }> {
  const files = await cloneFolder(from, to, '', { flush, takes: () => true })
  await flushed(join(to, database))
  return { files }
}

/** Clones only the database of a volume that nothing uses. */
export async function cloneDatabase(from: string, to: string): Promise<void> {
  await cloneFolder(from, to, '', { flush: false, takes: isDatabase })
}

/**
 * Replaces what is in a volume that cannot be moved, but for packages and caches, by what is in `from`, which stays. May be repeated
 * from its beginning. The mark of the volume and the database go first and come last: what is not complete passes for no one's.
 */
export async function fillVolume(from: string, volume: string): Promise<void> {
  const ends = (name: string) => isDatabase(name) || name === identityFile
  const rank = (name: string) => (name === identityFile ? 0 : isDatabase(name) ? 1 : 2)
  const there = (await namesIn(volume, 'buffer')).filter(name => !left.has(name.toString()))
  for (const name of there.toSorted((a, b) => rank(a.toString()) - rank(b.toString())))
    await rm(placeIn(volume, name), { recursive: true, force: true, maxRetries: 3 })
  for (const takes of [(name: string) => !ends(name), isDatabase, (name: string) => name === identityFile])
    await cloneFolder(from, volume, '', { flush: true, takes })
}

interface Cloning {
  flush: boolean
  /** Whether what has this name at the top of the volume is cloned. */
  takes(name: string): boolean
}

/** `path` is the folder's place in the volume. Names are bytes: a tenant's need not be UTF-8. */
async function cloneFolder(from: Place, to: Place, path: string, cloning: Cloning): Promise<number> {
  const { flush, takes } = cloning
  await mkdir(to, { recursive: true, mode: 0o700 })
  const entries = (await readdir(from, { withFileTypes: true, encoding: 'buffer' })).filter(
    ({ name }) => path !== '' || (!left.has(name.toString()) && takes(name.toString())),
  )
  const isLinked = linkedFolders.some(each => path === each || path.startsWith(each + sep))
  let files = 0
  const plain = entries.filter(entry => !entry.isDirectory())
  for (let next = 0; next < plain.length; next += atOnce) {
    const some = plain.slice(next, next + atOnce)
    await Promise.all(some.map(entry => cloneFile(entry, from, to, { isLinked, flush })))
    files += some.length
  }
  for (const entry of entries) {
    if (!entry.isDirectory()) continue
    const { name } = entry
    files += await cloneFolder(placeIn(from, name), placeIn(to, name), join(path, name.toString()), cloning)
  }
  await takeAfter(from, to)
  if (flush) await flushed(to)
  return files
}

/** Sockets and pipes are left out: they mean nothing without the process that made them. */
async function cloneFile(
  entry: Dirent<Buffer>,
  folder: Place,
  target: Place,
  { isLinked, flush }: { isLinked: boolean; flush: boolean },
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
  if (flush) await flushed(to)
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

async function flushed(path: Place): Promise<void> {
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
