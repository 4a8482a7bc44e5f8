import { closeSync, constants, mkdirSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

const linux = process.platform === 'linux'

/** An open folder of the jobs repo, which stays the same even if a job replaces it meanwhile. */
export interface OpenFolder {
  /** The path of an entry in it. */
  entry(name: string): string
  close(): void
}

/**
 * Opens a folder by its path relative to the repo, '' for the repo itself; `make` creates a missing one. Null if it
 * is not a folder, or leads out of the repo: a job may put a link there between two checks.
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
  // Through its handle, so that no name on the way is resolved again.
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

/** One at a time, each in its open parent. */
function makeFolders(jobsDir: string, folder: string): void {
  const parts = folder === '' ? [] : folder.split('/')
  for (const [index, name] of parts.entries()) {
    const parent = openFolderAt(jobsDir, parts.slice(0, index).join('/'))
    if (!parent) return
    try {
      mkdirSync(parent.entry(name))
    } catch {
      // It exists, or the next step reports the error.
    } finally {
      parent.close()
    }
  }
}

/** Returns the real place of an open file; its own path if the system cannot say. */
export function pathOf(fd: number, path: string): string {
  return linux ? readlinkSync(`/proc/self/fd/${fd}`) : realpathSync(path)
}
