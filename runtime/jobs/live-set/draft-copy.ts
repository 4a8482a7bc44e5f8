import { copyFile, link, mkdir, readdir, readlink, realpath, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tooLarge } from '../../../src/http/problem.ts'
import type { Draft } from '../../manifest/reader-protocol.ts'

const mostEntries = 50_000
const atOnce = 64

/**
 * Makes a copy of the jobs repo in which the draft is saved. Files are hard links, except the draft's own; `node_modules`
 * leads to the same packages. Throws `too-large` for a repo with too many files.
 */
export async function copyWithDraft(repo: string, to: string, draft: Draft): Promise<void> {
  let left = mostEntries
  const copyFolder = async (prefix: string): Promise<void> => {
    await mkdir(join(to, prefix), { recursive: true })
    const entries = await readdir(join(repo, prefix), { withFileTypes: true })
    left -= entries.length
    if (left < 0)
      throw tooLarge(
        `The jobs repo has more than ${mostEntries} files, too many to try this file in a copy. Save it: the current jobs keep running unless it loads.`,
      )
    const others = entries.filter(entry => !entry.isDirectory() && prefix + entry.name !== draft.file)
    for (let from = 0; from < others.length; from += atOnce) {
      await Promise.all(
        others
          .slice(from, from + atOnce)
          .map(entry => copyEntry(prefix + entry.name, entry.isSymbolicLink())),
      )
    }
    for (const entry of entries) {
      if (entry.isDirectory() && entry.name !== '.git') await copyFolder(`${prefix}${entry.name}/`)
    }
  }
  const copyEntry = async (path: string, isLink: boolean): Promise<void> => {
    const [from, place] = [join(repo, path), join(to, path)]
    if (path === 'node_modules' && isLink) return symlink(await realpath(from), place)
    if (isLink) return symlink(await readlink(from), place)
    // A file with very many links, or a file system without them.
    await link(from, place).catch(() => copyFile(from, place))
  }
  await copyFolder('')
  await mkdir(dirname(join(to, draft.file)), { recursive: true })
  await writeFile(join(to, draft.file), draft.content)
}
