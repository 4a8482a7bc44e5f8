import { join } from 'node:path'
import { readRegular } from '../regular-file.ts'
import { writeWhole } from './atomic-fs.ts'

const head = (fileMode: boolean, symlinks: boolean, ignoreCase: boolean) =>
  `[core]\n\trepositoryformatversion = 0\n\tfilemode = ${fileMode}\n\tbare = false\n\tlogallrefupdates = true\n\tsymlinks = ${symlinks}\n\tignorecase = ${ignoreCase}\n`

/** What isomorphic-git writes into a new repo, and git on Windows into a clone. */
const elsewhere = head(false, false, true)
const here = head(true, true, false)

/**
 * Says of a repo that was made here what its file system can do: without it, no executable bit would count. A clone
 * from a system that has none keeps its settings.
 */
export function correctConfig(dir: string): void {
  const file = join(dir, '.git/config')
  const text = readRegular(file, 1024 * 1024)?.toString('utf8') ?? ''
  if (!text.startsWith(elsewhere) || text.includes('[remote "origin"]')) return
  writeWhole(file, here + text.slice(elsewhere.length))
}
