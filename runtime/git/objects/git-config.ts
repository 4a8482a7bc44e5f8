import { join } from 'node:path'
import { readRegular } from '../../../src/storage/regular-file.ts'
import { writeWhole } from './atomic-fs.ts'

const head = (fileMode: boolean, symlinks: boolean, ignoreCase: boolean) =>
  `[core]\n\trepositoryformatversion = 0\n\tfilemode = ${fileMode}\n\tbare = false\n\tlogallrefupdates = true\n\tsymlinks = ${symlinks}\n\tignorecase = ${ignoreCase}\n`

/** The settings that isomorphic-git writes to a new repo, and git on Windows to a clone. */
const elsewhere = head(false, false, true)
const here = head(true, true, false)

/**
 * Tells git what the file system of a new repo supports: without it, executable bits would not count. A clone from a
 * system without them keeps its settings.
 */
export function correctConfig(dir: string): void {
  if (isUncorrected(dir)) writeWhole(configFile(dir), here + configOf(dir).slice(elsewhere.length))
}

/** True for a repo created here whose settings ignore executable bits. */
export function isUncorrected(dir: string): boolean {
  const text = configOf(dir)
  return text.startsWith(elsewhere) && !text.includes('[remote "origin"]')
}

const configFile = (dir: string) => join(dir, '.git/config')

function configOf(dir: string): string {
  return readRegular(configFile(dir), 1024 * 1024)?.toString('utf8') ?? ''
}
