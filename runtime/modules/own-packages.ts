import { readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join, posix, relative, resolve } from 'node:path'
import { resolveExports, resolveImports } from 'resolve-pkg-maps'
import { jobsFolder } from '../isolation/reach.ts'
import { packagesOf } from './packages-of.ts'

/** The packages of the repo itself, by name: the folder of each, relative to the repo. */
export type OwnPackages = Readonly<Record<string, string>>

/** What the resolution of packages reads in a `package.json`. */
interface PackageManifest {
  name?: unknown
  main?: unknown
  exports?: unknown
  imports?: unknown
}

/** Where a name may lead to: the `package.json` files of a commit, and its own packages. */
export interface OwnPackageFiles {
  own: OwnPackages
  /** The content of a JSON file of the commit; undefined when there is none, or when it is not valid. */
  json(path: string): unknown
}

/**
 * The workspaces and `file:` folders that `node_modules` of the repo links to. A build holds them, so that a run finds
 * the packages of its own commit, also when the next one has moved them.
 */
export function ownPackagesOf(repo: string): OwnPackages {
  const installation = packagesOf(repo)
  const base = installation === null ? realpathSync(repo) : join(dirname(dirname(installation)), jobsFolder)
  const modules = join(installation ?? base, 'node_modules')
  const own: Record<string, string> = {}
  for (const [name, link] of linksIn(modules)) {
    const folder = relative(base, resolve(dirname(link), readlinkSync(link)))
    if (folder !== '' && !folder.split('/').some(each => each === '..' || each === 'node_modules'))
      own[name] = folder
  }
  return own
}

function linksIn(modules: string): [name: string, link: string][] {
  const within = (scope: string): [string, string][] =>
    entriesOf(join(modules, scope)).flatMap((entry): [string, string][] => {
      const name = scope + entry.name
      if (entry.isSymbolicLink()) return [[name, join(modules, name)]]
      return scope === '' && entry.isDirectory() && name.startsWith('@') ? within(`${name}/`) : []
    })
  return within('')
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

const kinds = [
  ['node', 'import', 'module-sync', 'node-addons'],
  ['node', 'require', 'module-sync', 'node-addons'],
]

/**
 * The paths of the repo that a name may stand for in `importer`, by the rules of Node: 1. `#name` by the `imports` of the
 * package that the importer lies in. 2. The importer's own package by its name, if it has `exports`. 3. A package of the
 * repo. The first path that exists counts; none for all other names.
 */
export function ownPaths(
  files: OwnPackageFiles,
  specifier: string,
  importer: string,
  conditions?: readonly string[],
): string[] {
  const asked = conditions ? [conditions] : kinds
  const scope = scopeOf(files, importer)
  if (specifier.startsWith('#')) return importsOf(files, specifier, { importer, scope, asked })
  if (/^[./]|^[a-z][a-z0-9+.-]*:/i.test(specifier)) return []
  const name = packageName(specifier)
  const subpath = specifier.slice(name.length + 1)
  if (scope !== null && scope.manifest.exports !== undefined && scope.manifest.name === name)
    return pathsIn(scope, subpath, asked)
  const folder = Object.hasOwn(files.own, name) ? files.own[name] : undefined
  if (folder === undefined) return []
  return pathsIn({ folder, manifest: manifestIn(files, folder) ?? {} }, subpath, asked)
}

/**
 * What `#name` stands for that is no file of the repo: a package, a part of one, or a module of Node's. Null when the
 * `package.json` of the commit says nothing of the kind.
 */
export function packageBehind(
  files: OwnPackageFiles,
  specifier: string,
  importer: string,
  conditions: readonly string[],
): string | null {
  const scope = scopeOf(files, importer)
  return (
    scope && (importTargets(scope, specifier, conditions).find(target => !target.startsWith('.')) ?? null)
  )
}

/** The package that a bare specifier names. */
export const packageName = (specifier: string) =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

interface Scope {
  folder: string
  manifest: PackageManifest
}

/** The nearest folder with a `package.json`. */
function scopeOf(files: OwnPackageFiles, importer: string): Scope | null {
  for (let folder = posix.dirname(importer); ; folder = posix.dirname(folder)) {
    const manifest = manifestIn(files, folder)
    if (manifest !== null) return { folder, manifest }
    if (folder === '.') return null
  }
}

function manifestIn(files: OwnPackageFiles, folder: string): PackageManifest | null {
  const value = files.json(posix.join(folder, 'package.json'))
  return typeof value === 'object' ? (value as PackageManifest | null) : null
}

function importsOf(
  files: OwnPackageFiles,
  specifier: string,
  {
    importer,
    scope,
    asked,
  }: { importer: string; scope: Scope | null; asked: readonly (readonly string[])[] },
): string[] {
  if (scope === null) return []
  return asked.flatMap(conditions =>
    importTargets(scope, specifier, conditions).flatMap(target =>
      target.startsWith('.')
        ? [posix.join(scope.folder, target)]
        : ownPaths(files, target, importer, conditions),
    ),
  )
}

function importTargets(
  { manifest: { imports } }: Scope,
  specifier: string,
  conditions: readonly string[],
): string[] {
  if (typeof imports !== 'object' || imports === null) return []
  return mapped(() => resolveImports(imports as Parameters<typeof resolveImports>[0], specifier, conditions))
}

function pathsIn(
  { folder, manifest: { main, exports } }: Scope,
  subpath: string,
  asked: readonly (readonly string[])[],
): string[] {
  if (exports === undefined || exports === null) {
    if (subpath !== '') return [posix.join(folder, subpath)]
    const named = typeof main === 'string' ? [posix.join(folder, main), posix.join(folder, `${main}.js`)] : []
    return [...named, posix.join(folder, 'index.js'), folder]
  }
  return asked
    .flatMap(conditions =>
      mapped(() => resolveExports(exports as Parameters<typeof resolveExports>[0], subpath, conditions)),
    )
    .map(target => posix.join(folder, target))
}

/** Nothing where Node says why: the package does not offer this. */
function mapped(resolve: () => string[]): string[] {
  try {
    return resolve()
  } catch {
    return []
  }
}
