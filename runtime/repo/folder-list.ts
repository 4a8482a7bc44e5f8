import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { isForbidden } from './file-path.ts'
import { type RepoFiles, unknownFile } from './files.ts'
import { openFolderAt } from './folder.ts'

export const entryKinds = ['folder', 'file', 'link', 'other'] as const

/** One entry of a folder of the jobs repo; its path is relative to the repo. */
export interface FolderEntry {
  path: string
  kind: (typeof entryKinds)[number]
  sizeBytes: number
  modifiedAt: number
}

export interface FolderList {
  entries: FolderEntry[]
  /** There are more than are listed. */
  more: boolean
}

const listedEntries = 2000

/** What lies in a folder, '' for the repo itself: folders first, then by name. Throws `unknown-file` or `refused-path`. */
export function listFolder(jobsDir: string, folder: string, files: Pick<RepoFiles, 'accept'>): FolderList {
  // A file that would lie in it has to be one that may be looked at.
  if (folder !== '') files.accept(`${folder}/x`)
  const opened = openFolderAt(jobsDir, folder)
  if (!opened) throw unknownFile(`The repo has no folder "${folder}".`)
  try {
    const found: Dirent[] = readdirSync(opened.entry('.'), { withFileTypes: true })
    const shown = found
      .filter(({ name }) => !isForbidden(name))
      .sort((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || (a.name < b.name ? -1 : 1))
    const entries = shown.slice(0, listedEntries).flatMap(({ name }): FolderEntry[] => {
      const stat = lstatSync(opened.entry(name), { throwIfNoEntry: false })
      if (!stat) return []
      const kind = stat.isDirectory()
        ? 'folder'
        : stat.isFile()
          ? 'file'
          : stat.isSymbolicLink()
            ? 'link'
            : 'other'
      return [
        { path: posix.join(folder, name), kind, sizeBytes: stat.size, modifiedAt: Math.floor(stat.mtimeMs) },
      ]
    })
    return { entries, more: shown.length > listedEntries }
  } finally {
    opened.close()
  }
}
