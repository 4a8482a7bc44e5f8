import { readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What files take that are deleted but still open, on the disk with this device number: no walk through folders finds them. Looks at the
 * processes of this user; none on systems without /proc.
 */
export async function deletedFileBytes(device: number): Promise<number> {
  const found = new Map<number, number>()
  for (const id of (await entriesOf('/proc')).filter(name => /^\d+$/.test(name))) {
    const folder = join('/proc', id, 'fd')
    for (const descriptor of await entriesOf(folder)) {
      const path = join(folder, descriptor)
      const target = await readlink(path).catch(() => '')
      if (!target.endsWith(' (deleted)')) continue
      const file = await stat(path).catch(() => null)
      if (file?.isFile() && file.nlink === 0 && file.dev === device) found.set(file.ino, file.blocks * 512)
    }
  }
  return found.values().reduce((sum, bytes) => sum + bytes, 0)
}

function entriesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
