import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { type FolderEntry, type FolderList, type RepoFiles, unknownFile } from './contract.ts'
import { isForbidden } from './file-path.ts'
import { openFolderAt } from './folder.ts'

const listedEntries = 2000

/** Lists a folder, '' for the repo itself: folders first, then by name. Throws `unknown-file` or `refused-path`. */
export function listFolder(jobsDir: string, folder: string, files: Pick<RepoFiles, 'accept'>): FolderList {
  // A file in it has to be allowed.
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
