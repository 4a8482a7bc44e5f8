import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { claimVolume } from '../../../src/storage/volume-identity.ts'
import { DriverError } from '../driver.ts'
import { cloneDatabase, cloneVolume, fillVolume } from './clone.ts'
import { codeOf, namesIn, statOf } from './folder.ts'
import { volumePath } from './volume.ts'

/** Where the data of a restore are, until it is over: below the data root, so that they are swapped by renaming. */
function restoreRoot(dataRoot: string): string {
  return join(dataRoot, '.control', 'restores')
}

export interface RestoreFolders {
  /** The instance's own; all else is in it. */
  base: string
  /** The restored data, before they become the volume. */
  fresh: string
  /** The volume of before, from the swap until the instance answers. */
  previous: string
  /** Holds the id of the operation that the fresh data were checked for. */
  checked: string
  /** Is there while a volume that is a disk of its own is filled: what is in it is not complete. */
  filling: string
}

export function restoreFolders(dataRoot: string, instanceId: string): RestoreFolders {
  const base = join(restoreRoot(dataRoot), instanceId)
  const within = (name: string) => join(base, name)
  return {
    base,
    fresh: within('fresh'),
    previous: within('previous'),
    checked: within('checked'),
    filling: within('filling'),
  }
}

/** Whether the data of a restore were unpacked and checked: they lie beside the volume, or are swapped in already. */
export async function isFetched(folders: RestoreFolders, operationId: string): Promise<boolean> {
  try {
    return (await readFile(folders.checked, 'utf8')) === operationId
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Makes an empty place for restored data, and deletes what an earlier restore left there. The volume of before it is put back if
 * it is missing.
 */
export async function clearFresh(
  dataRoot: string,
  instance: { id: string; subdomain: string },
): Promise<void> {
  const folders = restoreFolders(dataRoot, instance.id)
  await settleRestore(dataRoot, instance)
  await clearRestore(folders)
  await mkdir(folders.base, { recursive: true, mode: 0o755 })
}

/** Marks restored data as the instance's volume, and as checked. */
export async function markFetched(
  { fresh, checked }: RestoreFolders,
  instanceId: string,
  operationId: string,
): Promise<void> {
  if (!(await claimVolume(fresh, instanceId, null)))
    throw new DriverError(`the restored data at ${fresh} are marked as another instance's`, {
      permanent: true,
    })
  const draft = `${checked}.new`
  await writeFile(draft, operationId, { flush: true })
  await rename(draft, checked)
}

/** Whether the restored data are to be swapped in still. */
export async function isWaiting({ fresh }: RestoreFolders): Promise<boolean> {
  return (await statOf(fresh)) !== null
}

/**
 * Puts the restored data in the place of the volume, which is moved aside. Two renames: between them there is no volume, and
 * both this and `putBack` go on from there.
 *
 * A volume that is a disk of its own cannot be renamed. It is cloned aside, and then filled with the restored data: what it is filled
 * from stays until it is complete, so that both this and `putBack` begin anew where they were interrupted.
 */
export async function swapIn(dataRoot: string, subdomain: string, folders: RestoreFolders): Promise<void> {
  if (!(await isWaiting(folders))) return
  await moveAside(dataRoot, subdomain, folders)
  await moveIn(folders.fresh, volumePath(dataRoot, subdomain), folders)
}

/** The first half of `swapIn`: from then on, all data are below the folder of the restore. A disk of its own keeps its data, too. */
export async function moveAside(
  dataRoot: string,
  subdomain: string,
  { previous }: RestoreFolders,
): Promise<void> {
  const volume = volumePath(dataRoot, subdomain)
  if ((await statOf(previous)) !== null || (await statOf(volume)) === null || (await move(volume, previous)))
    return
  await makeWhole(previous, draft => cloneVolume(volume, draft, { flush: true }))
}

/**
 * Puts the volume of before back, if it was moved aside. The restored data stay until they are deleted. `between` is called while
 * both are below the folder of the restore; of the restored data of a disk of its own, that is only the database.
 */
export async function putBack(
  dataRoot: string,
  subdomain: string,
  folders: RestoreFolders,
  between?: () => Promise<void>,
): Promise<boolean> {
  const { base, fresh, previous } = folders
  const volume = volumePath(dataRoot, subdomain)
  if ((await statOf(previous)) === null) return false
  if ((await statOf(volume)) !== null) {
    const failed = (await isWaiting(folders)) ? failedOf(base) : fresh
    await rm(failed, { recursive: true, force: true, maxRetries: 3 })
    if (!(await move(volume, failed)) && failed === fresh)
      await makeWhole(fresh, draft => cloneDatabase(volume, draft))
  }
  await between?.()
  await moveIn(previous, volume, folders)
  return true
}

/**
 * Puts the volume of before back where a restore ended between its two renames, or while it filled a disk, and is not going on. True
 * when it did. Any other volume that is there is left alone.
 */
export async function settleRestore(
  dataRoot: string,
  instance: { id: string; subdomain: string },
): Promise<boolean> {
  const folders = restoreFolders(dataRoot, instance.id)
  if ((await statOf(folders.previous)) === null) return false
  const isThere = (await statOf(volumePath(dataRoot, instance.subdomain))) !== null
  if (isThere && (await statOf(folders.filling)) === null) return false
  return await putBack(dataRoot, instance.subdomain, folders)
}

/** Deletes the data that were replaced, or that did not come to be used, and leaves the mark of what was fetched. */
export async function deleteReplaced({ base, checked }: RestoreFolders): Promise<void> {
  for (const name of await namesIn(base))
    if (join(base, name) !== checked)
      await rm(join(base, name), { recursive: true, force: true, maxRetries: 3 })
}

/** Where data go that an instance did not start on. */
const failedOf = (base: string) => join(base, 'failed')

/** Whether the volume of before is in its place, or deleted: what is left of a restore is no longer needed. */
export async function isSettled({ previous }: RestoreFolders): Promise<boolean> {
  return (await statOf(previous)) === null
}

/** Deletes what a restore needed. */
export async function clearRestore({ base }: RestoreFolders): Promise<void> {
  await rm(base, { recursive: true, force: true, maxRetries: 3 })
}

/** Moves a folder below the data root; throws in words. */
export async function moveVolume(from: string, to: string): Promise<void> {
  if (!(await move(from, to)))
    throw new DriverError(`could not move ${from} to ${to}: one of them is a disk of its own`, {
      permanent: true,
    })
}

/** Moves a folder. False, with nothing moved, when one of the two is a disk of its own; throws in words. */
async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (['EBUSY', 'EXDEV'].includes(codeOf(error))) return false
    throw new DriverError(`could not move ${from} to ${to}: ${(error as Error).message}`, {
      permanent: false,
    })
  }
}

/** Moves data into the place of a volume. One that is a disk of its own is filled with them. */
async function moveIn(from: string, volume: string, { filling }: RestoreFolders): Promise<void> {
  if (await move(from, volume)) return
  await writeFile(filling, '', { flush: true })
  await copied(() => fillVolume(from, volume))
  // The name goes at once: what is half deleted must not fill it again. The data are deleted now, or with the rest.
  const used = `${from}.used`
  await rm(used, { recursive: true, force: true, maxRetries: 3 })
  await rm(filling)
  await rename(from, used)
  await rm(used, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
}

/** Makes a folder that is complete as soon as it has its name. */
async function makeWhole(folder: string, make: (draft: string) => Promise<unknown>): Promise<void> {
  const draft = `${folder}.new`
  await rm(draft, { recursive: true, force: true, maxRetries: 3 })
  await copied(() => make(draft))
  await rename(draft, folder)
}

async function copied(copy: () => Promise<unknown>): Promise<void> {
  try {
    await copy()
  } catch (error) {
    const { message } = error as Error
    throw new DriverError(`the data of a volume that is a disk of its own could not be copied: ${message}`, {
      permanent: false,
      cause: error,
    })
  }
}

/** The instances that a restore left something of, by their ids. */
export async function leftRestores(dataRoot: string): Promise<string[]> {
  return await namesIn(restoreRoot(dataRoot))
}
