import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { findInFile } from './fault.ts'
import { hasNoOwn, type OwnFolders, ownFolders } from './own-folders.ts'
import {
  type Lock,
  type LockedPackage,
  type Manifest,
  parseText,
  readLock,
  readManifest,
  readText,
  refuseOther,
} from './package-files.ts'

/** What the jobs repo's `package.json` asks for, and whether it is there. */
export interface Wanted {
  /** Of all that an installation depends on: the same key is the same installation. */
  key: string
  /** What the installation is called on the disk. */
  name: string
  /** `ci` where the lockfile fits `package.json`. */
  command: 'ci' | 'install'
  /** Packages that lie in the repo itself: they stay there, and are linked to. */
  own: OwnFolders
  /** Development packages are installed here, for an editor or for tests; they stay. */
  withDev: boolean
  there: boolean
}

/** After an installation, its key. */
export const markFile = 'node_modules/.longhouse'

/** In `node_modules`, files that other package managers leave. */
export const foreignMarks = ['.modules.yaml', '.yarn-state.yml', '.yarn-integrity']
const noOwn: OwnFolders = { manifests: new Map(), archives: [] }

/** Null when nothing is asked for that a job could need. Throws a `PackagesFault` when the files cannot be read. */
export function readWanted(jobsDir: string): Wanted | null {
  const manifest = readManifest(jobsDir)
  const { dependencies = {}, optionalDependencies = {}, workspaces } = manifest
  const names = { ...dependencies, ...optionalDependencies }
  if (Object.keys(names).length === 0 && !workspaces) return null

  const { text: lockText = null, lock = null } = readLock(jobsDir) ?? {}
  const own = hasNoOwn(manifest) ? noOwn : ownFolders(jobsDir, manifest)
  const hidden = parseText<Lock>(readText(join(jobsDir, 'node_modules/.package-lock.json')) ?? '')
  const npmrc = readText(join(jobsDir, '.npmrc'))
  if (npmrc === null) refuseOther(jobsDir, '.npmrc')
  const built = [manifest.allowScripts, process.versions.modules]
  const parts = [names, manifest.overrides, ownKey(jobsDir, workspaces, own), lockText, npmrc, built].map(
    hashOf,
  )
  const key = parts.join(' ')
  const mark = readText(join(jobsDir, markFile))
  const required = Object.keys(dependencies)
  const withDev = Object.values(hidden?.packages ?? {}).some(each => each.dev)
  return {
    key,
    name: nameOf(key, withDev),
    command: lock && fits(lock, manifest, everyKind) && ownFit(lock, own) ? 'ci' : 'install',
    own,
    withDev,
    there:
      (lock?.packages !== undefined &&
        (mark === null || mark.endsWith(hashOf(built))) &&
        fits(lock, manifest, ['dependencies', 'optionalDependencies']) &&
        ownFit(lock, own) &&
        holds(hidden, lock.packages)) ||
      ((isForeign(jobsDir) || mark === key) && areThere(jobsDir, required)),
  }
}

/** What is in the repo's own packages counts only as far as it says what to install. */
function ownKey(jobsDir: string, workspaces: unknown, { manifests, archives }: OwnFolders): unknown {
  if (manifests.size === 0 && archives.length === 0) return workspaces
  const folders = [...manifests].sort(([one], [other]) => (one < other ? -1 : 1))
  return [
    workspaces,
    folders.map(([folder, each]) => [folder, ...ownFields.map(field => each[field] ?? null)]),
    archives.map(path => [path, hashOf(readText(join(jobsDir, path)))]),
  ]
}

/** What the installation for a key is called. */
export const nameOf = (key: string, withDev: boolean): string => hashOf([key, withDev])

const everyKind = ['dependencies', 'optionalDependencies', 'devDependencies'] as const

const ownFields = [
  ...['name', 'version', 'dependencies', 'optionalDependencies', 'devDependencies', 'peerDependencies'],
  ...['peerDependenciesMeta', 'engines', 'os', 'cpu', 'bin', 'bundleDependencies'],
] as (keyof Manifest)[]

/** True when the lockfile was made for the repo's own packages as they are. */
function ownFit(lock: Lock, { manifests }: OwnFolders): boolean {
  return [...manifests].every(([folder, manifest]) => {
    const locked = lock.packages?.[folder]
    return (
      locked !== undefined &&
      (locked.version ?? null) === (manifest.version ?? null) &&
      everyKind.every(field => isDeepStrictEqual(locked[field] ?? {}, manifest[field] ?? {}))
    )
  })
}

function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 20)
}

/** True when the lockfile was made for these fields of `package.json`. */
function fits(lock: Lock, manifest: Manifest, fields: readonly (keyof Manifest)[]): boolean {
  const root = lock.packages?.['']
  return (
    root !== undefined && fields.every(field => isDeepStrictEqual(root[field] ?? {}, manifest[field] ?? {}))
  )
}

/** True when all that the lockfile asks for at run time is what is installed. */
function holds(installed: Lock | null, locked: Record<string, LockedPackage>): boolean {
  const found = installed?.packages ?? {}
  return Object.entries(locked).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.dev || entry.optional || entry.devOptional) return true
    const there = found[path]
    return (
      there !== undefined &&
      (entry.link || (there.version === entry.version && there.integrity === entry.integrity))
    )
  })
}

/** Another package manager keeps these packages, and its locks are not ours to read. */
function isForeign(jobsDir: string): boolean {
  return foreignMarks.some(name => existsSync(join(jobsDir, 'node_modules', name)))
}

function areThere(jobsDir: string, names: string[]): boolean {
  return names.every(name => existsSync(join(jobsDir, 'node_modules', name, 'package.json')))
}

/** Where `package.json` names a package. */
export function placeOfPackage(jobsDir: string, name: string | null): { file: string; line: number | null } {
  const file = 'package.json'
  return { file, line: name === null ? null : findInFile(readText(join(jobsDir, file)), `"${name}"`) }
}
