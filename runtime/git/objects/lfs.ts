import { join } from 'node:path'
import { readRegular } from '../../../src/storage/regular-file.ts'

const firstLine = 'version https://git-lfs.github.com/spec/'
/** The specification limits a pointer to this length; its three lines need at least the minimum. */
const pointerBytes = { least: 100, most: 1024 }
const largestAttributes = 1024 * 1024

export function mayBePointer(size: number | bigint): boolean {
  return size >= pointerBytes.least && size < pointerBytes.most
}

/** True for a Git LFS pointer, which stands in for a large file until that is fetched. */
export function isPointerText(content: Uint8Array): boolean {
  return Buffer.from(content.subarray(0, firstLine.length)).toString('latin1') === firstLine
}

/** True if the attributes of the repo assign any file to Git LFS. */
export function usesLfs(dir: string, paths: readonly string[]): boolean {
  const attributes = paths.filter(path => path === '.gitattributes' || path.endsWith('/.gitattributes'))
  return [...attributes, '.git/info/attributes'].some(file =>
    readRegular(join(dir, file), largestAttributes)?.includes('filter=lfs'),
  )
}

/** True if a file of the repo is a pointer whose content was not fetched. */
export function isPointerFile(file: string): boolean {
  const content = readRegular(file, pointerBytes.most)
  return content !== null && isPointerText(content)
}
