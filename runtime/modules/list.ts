import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Never compiled: what git and package managers keep. */
const skipped = new Set(['.git', 'node_modules'])

export const codeEnding = /\.([cm]?[jt]s|[jt]sx|json)$/

/** Beyond these a repo is refused rather than compiled in part. */
const repoLimits = { files: 20_000, folders: 20_000, bytes: 64 * 1024 * 1024 }

/**
 * The code and JSON files of the repo, relative to it. Links are not followed: Node loads what they lead to by its own
 * name. `data`, where jobs keep files, is left out, for what jobs write is not part of a commit's code.
 */
export function listCode(repo: string, data: string): string[] {
  const files: string[] = []
  const folders = ['']
  for (let prefix = folders.shift(); prefix !== undefined; prefix = folders.shift()) {
    for (const entry of entriesOf(join(repo, prefix))) {
      const path = prefix + entry.name
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name) && path !== data && folders.length < repoLimits.folders)
          folders.push(`${path}/`)
      } else if (entry.isFile() && codeEnding.test(entry.name) && !entry.name.endsWith('.d.ts')) {
        files.push(path)
      }
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
