import { lstatSync, renameSync } from 'node:fs'
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { identityFile } from '../../src/volume-identity.ts'
import { DriverError } from './driver.ts'
import { lookAtVolume, volumePath } from './volume.ts'

/**
 * Deletes a volume for good, and never another instance's; returns a few words for the journal. It is renamed first, so
 * that a half-deleted volume never stands where an instance would find it; the remains of a purge that was cut short go
 * with the next one. A mount point, and what cannot be moved for another reason, is emptied where it is.
 */
export async function deleteVolume(
  dataRoot: string,
  instance: { id: string; subdomain: string },
): Promise<string | undefined> {
  const path = volumePath(dataRoot, instance.subdomain)
  const sight = lookAtVolume(path)
  if (sight.kind === 'marked' && sight.id !== instance.id && sight.id !== '') {
    throw new DriverError(
      `the volume at ${path} belongs to another instance, ${sight.id}, and was not deleted; move it to where it belongs`,
      { permanent: false },
    )
  }
  const trash = join(dataRoot, '.control', 'trash')
  await mkdir(trash, { recursive: true })
  const grave = join(trash, instance.id)
  const kept = await remove(grave)
  if (sight.kind === 'absent') return 'there was none'
  if (moved(path, grave)) return words([...kept, ...(await remove(grave))])
  return words([...kept, ...(await (isFolder(path) ? empty(path) : remove(path)))])
}

function words(kept: readonly string[]): string | undefined {
  if (kept.length === 0) return undefined
  return `emptied; ${kept.join(', ')} ${kept.length === 1 ? 'is a mount point and stays' : 'are mount points and stay'}`
}

/** False when it has to stay where it is: a mount point, or the trash is on another disk. */
function moved(path: string, grave: string): boolean {
  try {
    renameSync(path, grave)
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
    if (codeOf(error) !== 'EBUSY' || !isFolder(path)) throw error
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

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}
