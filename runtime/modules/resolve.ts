import { posix } from 'node:path'
import type { Aliases, Links } from './build.ts'
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
  links: Links
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
  // Where both are there, TypeScript means the source, and not what was compiled from it.
  const sourceFirst = /\.[cm]?tsx?$/.test(importer)
  if (/^\.{1,2}(\/|$)/.test(specifier)) {
    const path = posix.join(posix.dirname(importer), specifier)
    // A module is imported by its address.
    return findFile(build, path, sourceFirst) ?? findFile(build, decoded(path), sourceFirst)
  }
  if (specifier.startsWith('/')) return null
  for (const target of aliasedTo(build.aliases, specifier, importer)) {
    const found = findFile(build, target, sourceFirst)
    if (found !== null) return found
  }
  for (const target of ownPaths(build, specifier, importer, conditions)) {
    const found = findFile(build, target)
    if (found !== null) return found
  }
  return null
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The file at this path, which may lack its ending; null for none. */
export function findFile(
  { files, links }: Pick<Resolvable, 'files' | 'links'>,
  path: string,
  sourceFirst = false,
): string | null {
  if (path === '..' || path.startsWith('../')) return null
  const named = path === '.' || path.endsWith('/') ? [] : candidates(path, sourceFirst)
  const inFolder = candidates(posix.join(path, 'index'), sourceFirst)
  for (const each of [...named, ...inFolder]) {
    if (Object.hasOwn(files, each)) return each
    const target = throughLinks(links, each)
    if (target !== null && Object.hasOwn(files, target)) return target
  }
  return null
}

function candidates(path: string, sourceFirst: boolean): string[] {
  const ending = posix.extname(path)
  const stem = path.slice(0, path.length - ending.length)
  const named = endings.map(each => path + each)
  const compiledFrom = (sources[ending] ?? []).map(each => stem + each)
  return sourceFirst ? [...compiledFrom, ...named] : [...named, ...compiledFrom]
}

/** Where a path leads that is a link, or goes through one or several; null where it does not. */
function throughLinks(links: Links, path: string, most = 20): string | null {
  const found = Object.entries(links).find(([link]) => path === link || path.startsWith(`${link}/`))
  if (!found || most === 0) return null
  const [link, target] = found
  const place = posix.join(target, path.slice(link.length))
  return throughLinks(links, place, most - 1) ?? place
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
