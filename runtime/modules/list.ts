import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Never compiled: what git and package managers keep. */
const skipped = new Set(['.git', 'node_modules'])

export const codeEnding = /\.([cm]?[jt]s|[jt]sx|json)$/

/** A repo with more files or folders is refused rather than compiled in part. */
export const repoLimits = { files: 20_000, folders: 20_000 }

/**
 * The code and JSON files of the repo, relative to it; null when there are more files or folders than `limits`. Links are
 * not followed, because Node loads what they lead to by its own name; `onLink` is called with each. `data`, where jobs keep files, is left out, because what
 * jobs write is not part of a commit's code.
 */
export function listCode(
  repo: string,
  data: string,
  { limits = repoLimits, onLink }: { limits?: typeof repoLimits; onLink?: (path: string) => void } = {},
): string[] | null {
  const files: string[] = []
  const folders = ['']
  // The list grows while it is walked.
  for (const prefix of folders) {
    for (const entry of entriesOf(join(repo, prefix))) {
      const path = prefix + entry.name
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name) && path !== data) folders.push(`${path}/`)
      } else if (entry.isFile() && codeEnding.test(entry.name) && !entry.name.endsWith('.d.ts')) {
        files.push(path)
      } else if (entry.isSymbolicLink() && !skipped.has(entry.name)) {
        onLink?.(path)
      }
      if (files.length > limits.files || folders.length > limits.folders) return null
    }
  }
  return files.sort()
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    // Gone since the folder above it was read, or not ours to read.
    return []
  }
}
