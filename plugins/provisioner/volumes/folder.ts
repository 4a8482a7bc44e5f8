import { type BigIntStats, constants } from 'node:fs'
import { access, lstat, open, readdir } from 'node:fs/promises'

/**
 * Identifies a file or folder whatever its name: by its device, its inode, and when it was created, since a file system gives
 * the inode of a deleted folder to the next one.
 */
export type FileId = string

export function fileIdOf({
  dev,
  ino,
  birthtimeNs,
}: Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>): FileId {
  return `${dev}:${ino}:${birthtimeNs}`
}

/** Where a file or folder is. A name that is not UTF-8 has no text: only its bytes lead to it. */
export type Place = string | Buffer

/** The place of what has this name, in bytes, in a folder. */
export function placeIn(folder: Place, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), name])
}

/** Returns null when nothing has this name. */
export async function statOf(path: Place): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

/**
 * Opens a folder and calls `use` with a path that leads into this same folder even if another one takes its name; on systems
 * without such paths, with its name. Returns null, without calling `use`, when another folder or none has the name.
 */
export async function insideFolder<T>(
  path: string,
  file: FileId,
  use: (inside: string) => Promise<T>,
): Promise<{ result: T } | null> {
  let folder: Awaited<ReturnType<typeof open>>
  try {
    folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return null
    throw error
  }
  try {
    if (fileIdOf(await folder.stat({ bigint: true })) !== file) return null
    const inside = `/proc/self/fd/${folder.fd}`
    const there = await access(inside).then(
      () => true,
      () => false,
    )
    return { result: await use(there ? inside : path) }
  } finally {
    await folder.close()
  }
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}

/** The names in a folder, as text or as bytes; none where there is no folder. */
export async function namesIn(folder: string): Promise<string[]>
export async function namesIn(folder: string, encoding: 'buffer'): Promise<Buffer[]>
export async function namesIn(folder: string, encoding?: 'buffer'): Promise<(string | Buffer)[]> {
  try {
    return encoding === 'buffer' ? await readdir(folder, { encoding }) : await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
