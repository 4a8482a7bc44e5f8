import { type BigIntStats, constants } from 'node:fs'
import { access, lstat, open } from 'node:fs/promises'

/**
 * Which file or folder something is, whatever its name: its device and inode, and when it was made, since the inode of
 * what was deleted is given to the next that is made.
 */
export type FileId = string

export function fileIdOf({
  dev,
  ino,
  birthtimeNs,
}: Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>): FileId {
  return `${dev}:${ino}:${birthtimeNs}`
}

/** Null when nothing has the name. */
export async function statOf(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

/**
 * Opens a folder and hands `use` a path that leads into that very folder, whatever takes its name meanwhile; on systems
 * without such paths it is the name. Returns null, without calling `use`, when another folder or none has the name.
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
