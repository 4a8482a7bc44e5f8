import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DriverError } from '../driver.ts'
import { cloneVolume, madeAgain } from './clone.ts'
import { codeOf, namesIn, statOf } from './folder.ts'
import { clearFresh, clearRestore, moveVolume, type RestoreFolders, restoreFolders } from './restored.ts'
import { volumePath } from './volume.ts'

/** Where the data of before an upgrade are kept, on the disk of the volumes. */
interface KeptFolders {
  base: string
  data: string
  /** Holds the id of the upgrade that `data` are from: without it they are not complete. */
  mark: string
}

function keptRoot(dataRoot: string): string {
  return join(dataRoot, '.control', 'upgrades')
}

function keptFolders(dataRoot: string, instanceId: string): KeptFolders {
  const base = join(keptRoot(dataRoot), instanceId)
  return { base, data: join(base, 'data'), mark: join(base, 'mark') }
}

/** Whether the data of before this upgrade are kept. */
export async function isKept(dataRoot: string, instanceId: string, operationId: string): Promise<boolean> {
  const { data, mark } = keptFolders(dataRoot, instanceId)
  try {
    return (await readFile(mark, 'utf8')) === operationId && (await statOf(data)) !== null
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false
    throw error
  }
}

/**
 * Keeps the data of a stopped instance as they are before an upgrade, once for each upgrade: after that the new version may have
 * changed them. What an earlier upgrade kept goes. Returns a few words for the journal.
 */
export async function keepData(
  dataRoot: string,
  instance: { id: string; subdomain: string },
  operationId: string,
): Promise<string> {
  if (await isKept(dataRoot, instance.id, operationId)) return 'kept before'
  const { base, data, mark } = keptFolders(dataRoot, instance.id)
  await forgetKept(dataRoot, instance.id)
  const volume = volumePath(dataRoot, instance.subdomain)
  const [there, root] = [await statOf(volume), await statOf(dataRoot)]
  if (!there) return 'there are no data'
  // It cannot be swapped by renaming.
  if (root && there.dev !== root.dev)
    return 'not kept: the volume is a disk of its own. Restore the backup in the store if you need to go back'
  await mkdir(base, { recursive: true, mode: 0o700 })
  try {
    const { files } = await cloneVolume(volume, data)
    await writeFile(`${mark}.new`, operationId, { flush: true })
    await rename(`${mark}.new`, mark)
    return `${files} files`
  } catch (error) {
    await forgetKept(dataRoot, instance.id).catch(() => {})
    throw new DriverError(
      `the data of before the upgrade could not be kept, so the new version was not started: ${(error as Error).message}`,
      { permanent: false },
    )
  }
}

/** The instances that an upgrade kept something of, by their ids. */
export async function keptUpgrades(dataRoot: string): Promise<string[]> {
  return await namesIn(keptRoot(dataRoot))
}

export async function forgetKept(dataRoot: string, instanceId: string): Promise<void> {
  const { base, mark } = keptFolders(dataRoot, instanceId)
  // The mark goes first: what is half deleted is not complete.
  await rm(mark, { force: true })
  await rm(base, { recursive: true, force: true, maxRetries: 3 })
}

/** Clones what an upgrade kept into the place for restored data: the kept data stay until going back has succeeded. */
export async function fetchKept(
  dataRoot: string,
  instance: { id: string; subdomain: string },
): Promise<{ files: number }> {
  await clearFresh(dataRoot, instance)
  return await cloneVolume(
    keptFolders(dataRoot, instance.id).data,
    restoreFolders(dataRoot, instance.id).fresh,
  )
}

/**
 * Makes the data that an upgrade kept the volume of before, which `putBack` puts back. Does nothing when they are not there, or are
 * that already.
 */
export async function unkeep(dataRoot: string, instanceId: string, operationId: string): Promise<void> {
  if (!(await isKept(dataRoot, instanceId, operationId))) return
  const folders = restoreFolders(dataRoot, instanceId)
  await clearRestore(folders)
  await mkdir(folders.base, { recursive: true, mode: 0o755 })
  await moveVolume(keptFolders(dataRoot, instanceId).data, folders.previous)
}

/** Moves packages and caches, which are not kept, from a volume that goes into the one that stands in its place. */
export async function bringAlong(
  dataRoot: string,
  subdomain: string,
  { fresh, previous }: RestoreFolders,
): Promise<void> {
  const volume = volumePath(dataRoot, subdomain)
  for (const gone of [fresh, previous])
    for (const name of madeAgain) {
      const [from, to] = [join(gone, name), join(volume, name)]
      if ((await statOf(from)) === null || (await statOf(to)) !== null) continue
      // They are made again where this fails.
      await rename(from, to).catch(() => {})
    }
}
