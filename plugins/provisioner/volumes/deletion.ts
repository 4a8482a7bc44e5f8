import { mkdir, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { identityFile } from '../../../src/storage/volume-identity.ts'
import { DriverError } from '../driver.ts'
import { codeOf, insideFolder, type Place, placeIn, statOf } from './folder.ts'
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
 * Deletes a volume for good; returns a few words for the journal. Anything that is not positively this instance's own is kept,
 * unless the operator allowed its deletion; the volume of another instance that has a record (`ownerOf`) is always kept.
 *
 * 1. Delete the remains of an interrupted purge: they were checked then.
 * 2. Check what stands in the volume's place, and move it to the trash.
 * 3. Check it again there, where no one can replace it. Move it back when it is not what was checked.
 * 4. Only then mark it as remains, and delete it.
 *
 * A mount point, or anything else that cannot be moved, is emptied in place, through the folder that was checked.
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
  // An earlier purge ended before the second check.
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

/** Moves back what must not be deleted. The error says where it is when that fails. */
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

/** Returns false when a folder cannot be moved: it is a mount point, or the trash is on another disk. */
async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (['EBUSY', 'EXDEV', 'EEXIST', 'ENOTEMPTY'].includes(codeOf(error))) return false
    throw notDeleted(from, error)
  }
}

/** Empties the folder that was checked, even if another one takes its place meanwhile. */
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

/** Removes a folder with everything in it; returns the mount points in it, which are emptied and stay. */
async function remove(path: Place, shown = path.toString()): Promise<string[]> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
    return []
  } catch (error) {
    if (codeOf(error) !== 'EBUSY' || !(await isFolder(path))) throw await cause(path, shown, error)
    return await removeEmptied(path, await empty(path, shown), shown)
  }
}

/**
 * Empties a folder; returns the mount points that stay in it. The file that says whose volume it is goes last: what an
 * interrupted deletion leaves behind still says so.
 */
async function empty(path: Place, shown = path.toString()): Promise<string[]> {
  const isMark = (name: Buffer) => Number(name.toString() === identityFile)
  const names = (await readdir(path, { encoding: 'buffer' })).sort((a, b) => isMark(a) - isMark(b))
  const kept: string[] = []
  for (const name of names) kept.push(...(await remove(placeIn(path, name), join(shown, name.toString()))))
  return kept
}

async function removeEmptied(path: Place, kept: string[], shown = path.toString()): Promise<string[]> {
  if (kept.length > 0) return kept
  try {
    await rmdir(path)
    return []
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw notDeleted(shown, error)
    return [shown]
  }
}

/** Finds out why a file stays: Node tries to enter what it may not unlink, and then reports that it is no folder. */
async function cause(path: Place, shown: string, error: unknown): Promise<Error> {
  const { path: at = path.toString() } = error as NodeJS.ErrnoException
  const name = shown + at.slice(path.toString().length)
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

async function isFolder(path: Place): Promise<boolean> {
  return (await statOf(path))?.isDirectory() ?? false
}
