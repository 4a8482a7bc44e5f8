import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { identityFile } from '../../../src/volume-identity.ts'
import type { VolumeLook } from './inspection.ts'
import { purgeFault, statOf, VolumeError, type VolumeRecord, type VolumeSight, volumePath } from './volume.ts'

/**
 * Deletes a volume for good; returns a few words for the journal. What is not positively this instance's own stays,
 * unless the operator permitted it explicitly; the volume of another instance that has a record (`ownerOf`) always stays.
 * It is renamed first, so that a half-deleted volume never stands where an instance would find it; the remains of a purge
 * that was cut short go with the next one. A mount point, and what cannot be moved for another reason, is emptied where
 * it is.
 */
export async function deleteVolume(
  dataRoot: string,
  instance: VolumeRecord & { subdomain: string },
  { look, ownerOf }: { look: VolumeLook; ownerOf(instanceId: string): string | null },
): Promise<string | undefined> {
  const path = volumePath(dataRoot, instance.subdomain)
  const sight = await look(path)
  refuseStrange(instance, path, sight, ownerOf)
  const trash = join(dataRoot, '.control', 'trash')
  await mkdir(trash, { recursive: true })
  const grave = join(trash, instance.id)
  const kept = await remove(grave)
  if (sight.kind === 'absent') return 'there was none'
  if (await moved(path, grave)) return words([...kept, ...(await remove(grave))])
  return words([...kept, ...(await ((await isFolder(path)) ? empty(path) : remove(path)))])
}

function refuseStrange(
  instance: VolumeRecord,
  path: string,
  sight: VolumeSight,
  ownerOf: (instanceId: string) => string | null,
): void {
  const fault = purgeFault(instance, path, sight)
  if (fault === null) return
  const owner = sight.kind === 'marked' ? ownerOf(sight.id) : null
  if (owner === null && instance.volumePermit === 'delete') return
  const remedy =
    owner === null
      ? 'put this instance’s own volume there, move away what is there, or say that it may be deleted'
      : `move it to where "${owner}" has its own`
  throw new VolumeError(
    { kind: 'foreign', words: `${fault}, and was not deleted; ${remedy}` },
    { permanent: false },
  )
}

function words(kept: readonly string[]): string | undefined {
  if (kept.length === 0) return undefined
  return `emptied; ${kept.join(', ')} ${kept.length === 1 ? 'is a mount point and stays' : 'are mount points and stay'}`
}

/** False when it has to stay where it is: a mount point, or the trash is on another disk. */
async function moved(path: string, grave: string): Promise<boolean> {
  try {
    await rename(path, grave)
    return true
  } catch (error) {
    if (['EBUSY', 'EXDEV', 'EEXIST', 'ENOTEMPTY'].includes(codeOf(error))) return false
    throw error
  }
}

/** Removes a folder with all that is in it; returns the mount points that stay, emptied. */
async function remove(path: string): Promise<string[]> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
    return []
  } catch (error) {
    if (codeOf(error) !== 'EBUSY' || !(await isFolder(path))) throw error
    return await empty(path)
  }
}

/** The same, and last of all goes what says whose it is: what is left of a deletion that was cut short still says so. */
async function empty(path: string): Promise<string[]> {
  const names = (await readdir(path)).sort((a, b) => Number(a === identityFile) - Number(b === identityFile))
  const kept: string[] = []
  for (const name of names) kept.push(...(await remove(join(path, name))))
  if (kept.length > 0) return kept
  try {
    await rmdir(path)
    return []
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw error
    return [path]
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory() ?? false
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}
