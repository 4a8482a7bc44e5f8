import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular } from '../../../src/storage/regular-file.ts'
import { writeWhole } from './atomic-fs.ts'

/**
 * Has git leave out `node_modules` where it is a link, as an instance makes it: the usual `node_modules/` of `.gitignore`
 * stands only for a folder. In git's own list for this repo, which no commit contains. A repo without such a link stays
 * as it is.
 */
export function excludePackages(dir: string): void {
  const isFolder = (path: string) => lstatSync(join(dir, path), { throwIfNoEntry: false })?.isDirectory()
  const isLink = lstatSync(join(dir, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()
  if (!isLink || !isFolder('.git') || isFolder('.git/info') === false) return
  const file = join(dir, '.git/info/exclude')
  const there = lstatSync(file, { throwIfNoEntry: false })
  const text = readRegular(file, 1024 * 1024)?.toString('utf8') ?? null
  if ((there && (!there.isFile() || text === null)) || text?.split('\n').includes('node_modules')) return
  const before = text === null || text === '' || text.endsWith('\n') ? (text ?? '') : `${text}\n`
  writeWhole(file, `${before}node_modules\n`)
}
