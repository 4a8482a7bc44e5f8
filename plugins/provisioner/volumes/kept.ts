import { mkdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { folderSize } from '../../../src/storage/folder-size.ts'
import { bytesInWords } from '../../../views/components/bytes.ts'
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
  if ((await statOf(volume)) === null) return 'there are no data'
  await refuseUnkept(dataRoot, instance.subdomain)
  await mkdir(base, { recursive: true, mode: 0o700 })
  try {
    const { files } = await cloneVolume(volume, data, { flush: await isOtherDisk(dataRoot, volume) })
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

/** What stays free on the disk of the data root when data of another disk are kept there: a twentieth, and 256 MiB at most. */
const reserve = { share: 1 / 20, bytes: 256 * 1024 ** 2 }
const measureMs = 60_000

/**
 * Throws in words when the data of an instance could not be kept before an upgrade: its volume is a disk of its own, so they are copied
 * to the disk of the data root, and there is no room for them. Others need that disk, too.
 */
export async function refuseUnkept(dataRoot: string, subdomain: string): Promise<void> {
  const volume = volumePath(dataRoot, subdomain)
  if (!(await isOtherDisk(dataRoot, volume))) return
  const { bytes } = await folderSize(volume, AbortSignal.timeout(measureMs)).catch((error: Error) => {
    throw new DriverError(`the size of ${volume} could not be measured: ${error.message}`, {
      permanent: false,
      cause: error,
    })
  })
  const { bsize, blocks, bavail } = await statfs(dataRoot)
  const room = bavail * bsize - Math.min(reserve.share * blocks * bsize, reserve.bytes)
  if (bytes <= room) return
  throw new DriverError(
    `the volume ${volume} is a disk of its own, and its data are kept on the disk of ${dataRoot} during an upgrade: they take ${bytesInWords(bytes)}, and there is room for ${bytesInWords(Math.max(0, room))}. Nothing was changed; free space there`,
    { permanent: true },
  )
}

async function isOtherDisk(dataRoot: string, volume: string): Promise<boolean> {
  const [there, root] = [await statOf(volume), await statOf(dataRoot)]
  return there !== null && root !== null && there.dev !== root.dev
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
