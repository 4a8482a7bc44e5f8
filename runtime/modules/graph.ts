import { isBuiltin } from 'node:module'
import { dirname, posix } from 'node:path'
import { type Aliases, type Links, parsedJson } from './build.ts'
import type { CompiledFile } from './compile.ts'
import { type OwnPackages, packageName } from './own-packages.ts'
import { type Resolvable, resolveInBuild, withoutQuery } from './resolve.ts'

/** What can be reached from a file by imports that name what they want. */
export interface Graph {
  /** The files, the one it began with first. */
  inputs: string[]
  /** Imports that lead to nothing; `later` ones fail when the code that calls `import()` runs, and not before. */
  missing: { specifier: string; importer: string; later: boolean }[]
  /** What each file imports of the repo, and whether it imports packages. */
  imports: ReadonlyMap<string, { files: readonly string[]; packages: boolean }>
}

/** What was compiled, as imports are looked up in it. */
export interface Compiled {
  files: ReadonlyMap<string, CompiledFile>
  aliases: readonly Aliases[]
  own: OwnPackages
  links?: Links
}

interface Known extends Compiled {
  /** Whether something is at this path of the repo. */
  isThere: (path: string) => boolean
  /** Whether a package is installed for the files of a folder. */
  hasPackage: (name: string, folder: string) => boolean
}

export function resolvable({ files, aliases, own, links = {} }: Compiled): Resolvable {
  const json = (path: string) => {
    const file = files.get(path)
    return file?.format === 'json' ? parsedJson(file.code) : undefined
  }
  return { files: Object.fromEntries(files), links, aliases, own, json }
}

export function walkImports(entry: string, { isThere, hasPackage, ...compiled }: Known): Graph {
  const { files } = compiled
  const build = resolvable(compiled)
  const missing: Graph['missing'] = []
  const imports = new Map<string, { files: string[]; packages: boolean }>()
  const certain = reachedFirst(entry, compiled, build)
  const waiting = [entry]
  for (let importer = waiting.pop(); importer !== undefined; importer = waiting.pop()) {
    if (imports.has(importer)) continue
    const file = files.get(importer)
    const isLater = (specifier: string) => !certain.has(importer) || file?.later?.includes(specifier) === true
    const own: { files: string[]; packages: boolean } = { files: [], packages: false }
    imports.set(importer, own)
    for (const specifier of file?.imports ?? []) {
      const plain = withoutQuery(specifier)
      const found = resolveInBuild(build, plain, importer)
      if (found !== null) {
        own.files.push(found)
        waiting.push(found)
      } else if (isOfRepo(plain)) {
        const path = posix.join(dirname(importer), plain)
        if (path.startsWith('../') || !isThere(path))
          missing.push({ specifier, importer, later: isLater(specifier) })
      } else if (!isGiven(plain)) {
        own.packages = true
        if (!isInstalled(plain, importer, hasPackage))
          missing.push({ specifier, importer, later: isLater(specifier) })
      }
    }
  }
  return { inputs: [...imports.keys()], missing, imports }
}

/** The files that are loaded whenever the entry is: those that are reached without `import()`. */
function reachedFirst(entry: string, { files }: Compiled, build: Resolvable): ReadonlySet<string> {
  const reached = new Set([entry])
  for (const importer of reached) {
    const { imports = [], later = [] } = files.get(importer) ?? {}
    for (const specifier of imports) {
      if (later.includes(specifier)) continue
      const found = resolveInBuild(build, withoutQuery(specifier), importer)
      if (found !== null) reached.add(found)
    }
  }
  return reached
}

const isOfRepo = (specifier: string) => /^\.{0,2}(\/|$)/.test(specifier)

/** What Node brings, what we bring, and what `package.json` names for itself. */
function isGiven(specifier: string): boolean {
  return (
    isBuiltin(specifier) ||
    /^(node|data|file):|^#/.test(specifier) ||
    specifier === 'longhouse/jobs' ||
    /^zod(\/v4)?$/.test(specifier)
  )
}

/** In `node_modules` of the file's folder or one above it, up to the repo's own. */
function isInstalled(specifier: string, importer: string, hasPackage: Known['hasPackage']): boolean {
  const name = packageName(specifier)
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    if (hasPackage(name, folder)) return true
    if (folder === '.') return false
  }
}
