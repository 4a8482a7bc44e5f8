import { isBuiltin } from 'node:module'
import { dirname, posix } from 'node:path'
import type { Aliases, BuiltFile } from './build.ts'
import type { CompiledFile } from './compile.ts'
import { resolveInBuild } from './resolve.ts'

/** What can be reached from a file by imports that name what they want. */
export interface Graph {
  /** The files, the one it began with first. */
  inputs: string[]
  /** Imports that lead to nothing. */
  missing: { specifier: string; importer: string }[]
  /** What each file imports of the repo, and whether it imports packages. */
  imports: ReadonlyMap<string, { files: readonly string[]; packages: boolean }>
}

interface Known {
  files: ReadonlyMap<string, CompiledFile>
  aliases: readonly Aliases[]
  /** Whether something is at this path of the repo. */
  isThere: (path: string) => boolean
}

export function walkImports(entry: string, { files, aliases, isThere }: Known): Graph {
  const build = { files: Object.fromEntries(files) as unknown as Record<string, BuiltFile>, aliases }
  const missing: Graph['missing'] = []
  const imports = new Map<string, { files: string[]; packages: boolean }>()
  const waiting = [entry]
  for (let importer = waiting.pop(); importer !== undefined; importer = waiting.pop()) {
    if (imports.has(importer)) continue
    const own: { files: string[]; packages: boolean } = { files: [], packages: false }
    imports.set(importer, own)
    for (const specifier of files.get(importer)?.imports ?? []) {
      const plain = specifier.replace(/[?#].*$/s, '')
      const found = resolveInBuild(build, plain, importer)
      if (found !== null) {
        own.files.push(found)
        waiting.push(found)
      } else if (isOfRepo(plain)) {
        const path = posix.join(dirname(importer), plain)
        if (path.startsWith('../') || !isThere(path)) missing.push({ specifier, importer })
      } else if (!isGiven(plain)) {
        own.packages = true
        if (!hasPackage(plain, importer, isThere)) missing.push({ specifier, importer })
      }
    }
  }
  return { inputs: [...imports.keys()], missing, imports }
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
function hasPackage(specifier: string, importer: string, isThere: (path: string) => boolean): boolean {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    if (isThere(posix.join(folder, 'node_modules', name))) return true
    if (folder === '.') return false
  }
}
