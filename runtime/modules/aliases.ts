import { statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { parseTsconfig } from 'get-tsconfig'
import type { Aliases } from './build.ts'

/** What `tsconfig.json` in each of these folders of the repo, or above it, says that names stand for. */
export function readAliases(repo: string, folders: Iterable<string>): Aliases[] {
  const cache = new Map()
  const found = new Map<string, Aliases>()
  for (const folder of folders) {
    const own = nearest(repo, folder)
    if (own === null || found.has(own)) continue
    const { baseUrl, paths = {} } =
      parseTsconfig(join(repo, own, 'tsconfig.json'), cache).compilerOptions ?? {}
    const from = baseUrl === undefined ? own : pathIn(own, baseUrl)
    found.set(own, {
      folder: own,
      baseUrl: baseUrl === undefined ? null : from,
      paths: Object.entries(paths).map(([pattern, targets]) => ({
        pattern,
        targets: targets.map(target => pathIn(from, target)),
      })),
    })
  }
  return [...found.values()].sort((one, other) => other.folder.length - one.folder.length)
}

const pathIn = (folder: string, path: string) => posix.join(folder, path).replace(/^\.(\/|$)/, '')

/** The folder with the `tsconfig.json` that counts for another one; '' for the repo itself. */
export function nearest(repo: string, folder: string): string | null {
  for (let each = folder; ; each = dirname(each)) {
    // A pipe in its place would be waited for.
    if (statSync(join(repo, each, 'tsconfig.json'), { throwIfNoEntry: false })?.isFile())
      return each === '.' ? '' : each
    if (each === '.') return null
  }
}
