import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

const around = 3
const largestFileBytes = 1024 * 1024
const longestLine = 400

/**
 * The lines around a place in a file of the repo; null when there are none to show. What names the file was made by
 * the customer's code, so that only what really lies in the repo is read.
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
    const { size } = statSync(path)
    if (!inside || size > largestFileBytes) return null
    const all = readFileSync(path, 'utf8').split('\n')
    const first = Math.max(1, line - around)
    const lines = all.slice(first - 1, line + around).map(text => text.slice(0, longestLine))
    return line > all.length ? null : { first, lines }
  } catch {
    return null
  }
}
