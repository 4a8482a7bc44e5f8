import { mkdir, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { identityFile } from '../../../src/storage/volume-identity.ts'
import { DriverError } from '../driver.ts'
import { codeOf, insideFolder, statOf } from './folder.ts'
import type { VolumeLook } from './inspection.ts'
import {
  permitFor,
  purgeFault,
  VolumeError,
  type VolumeRecord,
  type VolumeSight,
  volumePath,
} from './volume.ts'

export interface Deletion {
  look: VolumeLook
  /** The subdomain of the instance that has this id and a record; null when none has. */
  ownerOf(instanceId: string): string | null
}

/**
 * Deletes a volume for good; returns a few words for the journal. What is not positively this instance's own stays,
 * unless the operator permitted it explicitly; the volume of another instance that has a record (`ownerOf`) always stays.
 *
 * 1. The remains of a purge that was cut short go: they were judged then.
 * 2. What stands at the volume's place is judged and moved out of everybody's way.
 * 3. It is judged again where nobody can swap it. What is not what was judged goes back to its place.
 * 4. Only then it becomes remains, and goes.
 *
 * A mount point, and what cannot be moved for another reason, is emptied where it is, through the folder that was judged.
 */
export async function deleteVolume(
  dataRoot: string,
  instance: VolumeRecord & { subdomain: string },
  { look, ownerOf }: Deletion,
): Promise<string | undefined> {
  const path = volumePath(dataRoot, instance.subdomain)
  const trash = join(dataRoot, '.control', 'trash')
  await mkdir(trash, { recursive: true })
  const remains = join(trash, instance.id)
  const kept = await remove(remains)
  const judge = (sight: VolumeSight) => refuseStrange(instance, path, sight, ownerOf)

  const moved = `${remains}.moved`
  const judgeMoved = async () => {
    try {
      judge(await look(moved))
    } catch (error) {
      throw await putBack(moved, path, error as Error)
    }
    kept.push(...((await move(moved, remains)) ? await remove(remains) : await removeMarkLast(moved)))
  }
  // The program ended before it was judged again.
  if (await statOf(moved)) await judgeMoved()

  const sight = await look(path)
  judge(sight)
  if (sight.kind === 'absent') return words(kept) ?? 'there was none'
  if (await move(path, moved)) await judgeMoved()
  else kept.push(...(await removeInPlace(path, sight)))
  return words(kept)
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
  const permit = instance.removal?.volumePermit ?? null
  if (owner === null && sight.kind !== 'absent' && permit === permitFor(sight)) return
  const remedy =
    owner === null
      ? `${permit === null ? '' : 'it is not what you allowed to be deleted; '}put this instance’s own volume there, move away what is there, or allow it to be deleted`
      : `move it to where "${owner}" has its own`
  throw new VolumeError(
    { kind: 'foreign', words: `${fault}, and was not deleted; ${remedy}` },
    { permanent: false },
  )
}

/** Brings back what was moved and is not to be deleted; the error then says where it is if that could not be done. */
async function putBack(moved: string, path: string, why: Error): Promise<Error> {
  try {
    if ((await statOf(path)) === null) {
      await rename(moved, path)
      return why
    }
  } catch (error) {
    return notPutBack(`could not be moved back: ${(error as Error).message}`)
  }
  return notPutBack('could not be moved back, for its place is taken')

  function notPutBack(how: string): VolumeError {
    return new VolumeError(
      { kind: 'foreign', words: `${why.message}. It is kept at ${moved}: it ${how}` },
      { permanent: false },
    )
  }
}

function words(kept: readonly string[]): string | undefined {
  if (kept.length === 0) return undefined
  return `emptied; ${kept.join(', ')} ${kept.length === 1 ? 'is a mount point and stays' : 'are mount points and stay'}`
}

/** False when it has to stay where it is: a mount point, or the trash is on another disk. */
async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (['EBUSY', 'EXDEV', 'EEXIST', 'ENOTEMPTY'].includes(codeOf(error))) return false
    throw notDeleted(from, error)
  }
}

/** Empties the very folder that was judged, whatever takes its place meanwhile. */
async function removeInPlace(path: string, sight: VolumeSight & { file: string }): Promise<string[]> {
  if (sight.kind === 'not-a-folder') return await remove(path)
  const emptied = await insideFolder(path, sight.file, inside => empty(inside, path))
  if (!emptied) {
    const words = `${path} is not what it was when the purge looked at it, and was not deleted`
    throw new VolumeError({ kind: 'foreign', words }, { permanent: false })
  }
  return await removeEmptied(path, emptied.result)
}

async function removeMarkLast(path: string): Promise<string[]> {
  return (await isFolder(path)) ? await removeEmptied(path, await empty(path)) : await remove(path)
}

/** Removes a folder with all that is in it; returns the mount points that stay, emptied. */
async function remove(path: string, shown = path): Promise<string[]> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
    return []
  } catch (error) {
    if (codeOf(error) !== 'EBUSY' || !(await isFolder(path))) throw await cause(path, shown, error)
    return await removeEmptied(path, await empty(path, shown), shown)
  }
}

/**
 * Empties a folder; returns the mount points that stay in it. Last of all goes what says whose it is: what is left of a
 * deletion that was cut short still says so.
 */
async function empty(path: string, shown = path): Promise<string[]> {
  const names = (await readdir(path)).sort((a, b) => Number(a === identityFile) - Number(b === identityFile))
  const kept: string[] = []
  for (const name of names) kept.push(...(await remove(join(path, name), join(shown, name))))
  return kept
}

async function removeEmptied(path: string, kept: string[], shown = path): Promise<string[]> {
  if (kept.length > 0) return kept
  try {
    await rmdir(path)
    return []
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw notDeleted(shown, error)
    return [shown]
  }
}

/** Why a file stays: node tries to enter what it may not unlink, and then reports that it is no folder. */
async function cause(path: string, shown: string, error: unknown): Promise<Error> {
  const { path: at = path } = error as NodeJS.ErrnoException
  const name = shown + at.slice(path.length)
  if (codeOf(error) !== 'ENOTDIR') return notDeleted(name, error)
  return await unlink(at).then(
    () => notDeleted(name, error),
    (refused: unknown) => notDeleted(name, refused),
  )
}

const reasons: Readonly<Record<string, string>> = {
  EPERM: 'the system does not permit it; it may be immutable (lsattr shows that, chattr -i ends it)',
  EACCES: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  EIO: 'the disk reports an error',
}

function notDeleted(path: string, error: unknown): DriverError {
  const why = reasons[codeOf(error)] ?? (error as Error).message
  const words = `${path} could not be deleted: ${why}. The purge is retried`
  return new DriverError(words, { permanent: false, cause: error })
}

async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory() ?? false
}
