import { posix } from 'node:path'
import type { Aliases } from './build.ts'
import { type OwnPackageFiles, ownPaths } from './own-packages.ts'

const endings = ['', '.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json', '.txt']

/** TypeScript is imported by the name of what it compiles to. */
const sources: Record<string, readonly string[]> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
}

/** A name without what follows `?` or `#`; `#name`, of a package's own `imports`, stays. */
export const withoutQuery = (specifier: string) => specifier.replace(/(?<=.)[?#].*$/s, '')

/** What names are looked up in. */
export interface Resolvable extends OwnPackageFiles {
  files: Readonly<Record<string, unknown>>
  aliases: readonly Aliases[]
}

/**
 * The file of the build that `specifier` means in `importer`, both relative to the repo; null when it means none, as a
 * package of a registry. A file without its ending, with the ending of what it compiles to, or of a folder its `index`
 * counts, as in TypeScript. Without `conditions`, `exports` of a package of the repo count for `import` and `require`.
 */
export function resolveInBuild(
  build: Resolvable,
  specifier: string,
  importer: string,
  conditions?: readonly string[],
): string | null {
  const find = (path: string) => findFile(build.files, path)
  if (/^\.{1,2}(\/|$)/.test(specifier)) return find(posix.join(posix.dirname(importer), specifier))
  if (specifier.startsWith('/')) return null
  const named = [
    ...aliasedTo(build.aliases, specifier, importer),
    ...ownPaths(build, specifier, importer, conditions),
  ]
  for (const target of named) {
    const found = find(target)
    if (found !== null) return found
  }
  return null
}

/** The file at this path, which may lack its ending; null for none. */
export function findFile(files: Resolvable['files'], path: string): string | null {
  if (path === '..' || path.startsWith('../')) return null
  const named = path === '.' || path.endsWith('/') ? [] : candidates(path)
  const inFolder = candidates(posix.join(path, 'index'))
  return [...named, ...inFolder].find(each => Object.hasOwn(files, each)) ?? null
}

function candidates(path: string): string[] {
  const ending = posix.extname(path)
  const stem = path.slice(0, path.length - ending.length)
  return [...endings.map(each => path + each), ...(sources[ending] ?? []).map(each => stem + each)]
}

/** What the nearest `tsconfig.json` says that a name may stand for, the most specific pattern first. */
export function aliasedTo(aliases: readonly Aliases[], specifier: string, importer: string): string[] {
  const own = aliases.find(({ folder }) => folder === '' || importer.startsWith(`${folder}/`))
  if (!own) return []
  const matches = own.paths
    .flatMap(({ pattern, targets }) => {
      const [before = '', after] = pattern.split('*')
      if (after === undefined)
        return specifier === pattern ? [{ rank: Number.POSITIVE_INFINITY, targets }] : []
      const fits =
        specifier.length >= before.length + after.length &&
        specifier.startsWith(before) &&
        specifier.endsWith(after)
      const middle = specifier.slice(before.length, specifier.length - after.length)
      return fits
        ? [{ rank: before.length, targets: targets.map(each => each.replace('*', () => middle)) }]
        : []
    })
    .sort((one, other) => other.rank - one.rank)
  const based = own.baseUrl === null ? [] : [posix.join(own.baseUrl, specifier)]
  return [...(matches[0]?.targets ?? []), ...based]
}
