import { join } from 'node:path'
import { readRegular } from '../../../src/storage/regular-file.ts'

const firstLine = 'version https://git-lfs.github.com/spec/'
/** A pointer is shorter than this by its specification, and longer than its three lines are at the least. */
const pointerBytes = { least: 100, most: 1024 }
const largestAttributes = 1024 * 1024

export function mayBePointer(size: number | bigint): boolean {
  return size >= pointerBytes.least && size < pointerBytes.most
}

/** True for what Git LFS keeps in the place of a large file until that is fetched. */
export function isPointerText(content: Uint8Array): boolean {
  return Buffer.from(content.subarray(0, firstLine.length)).toString('latin1') === firstLine
}

/** True when the attributes of the repo hand any file to Git LFS. */
export function usesLfs(dir: string, paths: readonly string[]): boolean {
  const attributes = paths.filter(path => path === '.gitattributes' || path.endsWith('/.gitattributes'))
  return [...attributes, '.git/info/attributes'].some(file =>
    readRegular(join(dir, file), largestAttributes)?.includes('filter=lfs'),
  )
}

/** Whether a file of the repo is a pointer whose content was not fetched. */
export function isPointerFile(file: string): boolean {
  const content = readRegular(file, pointerBytes.most)
  return content !== null && isPointerText(content)
}
