import { realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { readRegular } from '../../src/storage/regular-file.ts'

const around = 3
const largestFileBytes = 1024 * 1024
const longestLine = 400

/**
 * Returns the lines around a place in a file of the repo; null if there are none. The file's name comes from the
 * customer's code, so only files really in the repo are read.
 */
export function sourceExcerpt(
  repoFolder: string,
  file: string | null,
  line: number | null,
): { first: number; lines: string[] } | null {
  if (file === null || line === null) return null
  try {
    const root = realpathSync(repoFolder) + sep
    const path = realpathSync(join(root, file))
    const inside = path.startsWith(root) && !path.startsWith(join(root, '.git') + sep)
    const content = inside ? readRegular(path, largestFileBytes) : null
    return content && excerptOf(content.toString('utf8'), line)
  } catch {
    return null
  }
}

/** Returns the lines around a place in a text; null if it has no such line. */
export function excerptOf(text: string, line: number | null): { first: number; lines: string[] } | null {
  const all = text.split('\n')
  if (line === null || line > all.length) return null
  const first = Math.max(1, line - around)
  return { first, lines: all.slice(first - 1, line + around).map(each => each.slice(0, longestLine)) }
}
