import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { claimVolume } from '../../../src/storage/volume-identity.ts'
import { DriverError } from '../driver.ts'
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
}

export function restoreFolders(dataRoot: string, instanceId: string): RestoreFolders {
  const base = join(restoreRoot(dataRoot), instanceId)
  const within = (name: string) => join(base, name)
  return { base, fresh: within('fresh'), previous: within('previous'), checked: within('checked') }
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
 */
export async function swapIn(dataRoot: string, subdomain: string, folders: RestoreFolders): Promise<void> {
  if (!(await isWaiting(folders))) return
  await moveAside(dataRoot, subdomain, folders)
  await moveVolume(folders.fresh, volumePath(dataRoot, subdomain))
}

/** The first half of `swapIn`: from then on, all data are below the folder of the restore. */
export async function moveAside(
  dataRoot: string,
  subdomain: string,
  { previous }: RestoreFolders,
): Promise<void> {
  const volume = volumePath(dataRoot, subdomain)
  if ((await statOf(previous)) === null && (await statOf(volume)) !== null) await moveVolume(volume, previous)
}

/**
 * Puts the volume of before back, if it was moved aside. The restored data stay until they are deleted. `between` is called while
 * both are below the folder of the restore.
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
    await moveVolume(volume, failed)
  }
  await between?.()
  await moveVolume(previous, volume)
  return true
}

/**
 * Puts the volume of before back where a restore ended between its two renames and is not going on. True when it did. A volume
 * that is there is left alone.
 */
export async function settleRestore(
  dataRoot: string,
  instance: { id: string; subdomain: string },
): Promise<boolean> {
  const folders = restoreFolders(dataRoot, instance.id)
  if ((await statOf(folders.previous)) === null) return false
  if ((await statOf(volumePath(dataRoot, instance.subdomain))) !== null) return false
  return await putBack(dataRoot, instance.subdomain, folders)
}

/** Deletes the data that were replaced, or that did not come to be used, and leaves the mark of what was fetched. */
export async function deleteReplaced({ base, fresh, previous }: RestoreFolders): Promise<void> {
  for (const folder of [fresh, failedOf(base), previous])
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
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

/** Throws in words for a volume that cannot be moved: before anything is stopped, too. */
export async function refuseMountPoint(dataRoot: string, subdomain: string): Promise<void> {
  const [volume, root] = [await statOf(volumePath(dataRoot, subdomain)), await statOf(dataRoot)]
  if (volume && root && volume.dev !== root.dev) throw mountPoint(volumePath(dataRoot, subdomain))
}

function mountPoint(path: string): DriverError {
  return new DriverError(
    `the volume ${path} is a disk of its own, and its data cannot be swapped; restore into a new name, or restore the disk yourself`,
    { permanent: true },
  )
}

/** Moves a folder; throws in words. */
export async function moveVolume(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (['EBUSY', 'EXDEV'].includes(codeOf(error))) throw mountPoint(from)
    throw new DriverError(`could not move ${from} to ${to}: ${(error as Error).message}`, {
      permanent: false,
    })
  }
}

/** The instances that a restore left something of, by their ids. */
export async function leftRestores(dataRoot: string): Promise<string[]> {
  return await namesIn(restoreRoot(dataRoot))
}
