import { closeSync, constants, mkdirSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

const linux = process.platform === 'linux'

/** A folder of the jobs repo that stays the one that was looked at, whatever a job puts in its place meanwhile. */
export interface OpenFolder {
  /** The path of an entry in it. */
  entry(name: string): string
  close(): void
}

/**
 * Opens a folder by its path relative to the repo, '' for the repo itself; `make` makes it when it is not there. Null
 * when it is no folder, or leads out of the repo: a job may put a link there between two looks of ours.
 */
export function openFolderAt(jobsDir: string, folder: string, { make = false } = {}): OpenFolder | null {
  const root = realOf(jobsDir)
  if (root === null) return null
  const path = folder === '' ? root : join(root, folder)
  if (make) makeFolders(jobsDir, folder)
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch {
    return null
  }
  if (pathOf(fd, path) !== path) {
    closeSync(fd)
    return null
  }
  // By its handle, the system looks at no name on the way to it again.
  const at = linux ? `/proc/self/fd/${fd}` : path
  return { entry: name => `${at}/${name}`, close: () => closeSync(fd) }
}

function realOf(folder: string): string | null {
  try {
    return realpathSync(folder)
  } catch {
    return null
  }
}

/** One by one, each in the one before it. */
function makeFolders(jobsDir: string, folder: string): void {
  const parts = folder === '' ? [] : folder.split('/')
  for (const [index, name] of parts.entries()) {
    const parent = openFolderAt(jobsDir, parts.slice(0, index).join('/'))
    if (!parent) return
    try {
      mkdirSync(parent.entry(name))
    } catch {
      // It is there, or the next look says what is.
    } finally {
      parent.close()
    }
  }
}

/** Where a file that is open really lies; its own path again where the system does not tell. */
export function pathOf(fd: number, path: string): string {
  return linux ? readlinkSync(`/proc/self/fd/${fd}`) : realpathSync(path)
}
