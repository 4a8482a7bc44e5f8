import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readRegular } from '../../src/storage/regular-file.ts'

/** What the jobs repo's `package.json` asks for, and whether it is there. */
export interface Wanted {
  /** Of all that an installation depends on: the same key is the same installation. */
  key: string
  /** What the installation is called on the disk. */
  name: string
  /** `ci` where the lockfile fits `package.json`. */
  command: 'ci' | 'install'
  /** Packages that lie in the repo itself can only be linked from there. */
  inPlace: boolean
  /** Development packages are installed here, for an editor or for tests; they stay. */
  withDev: boolean
  there: boolean
}

/** After an installation, its key. */
export const markFile = 'node_modules/.longhouse'

const lockFiles = ['package-lock.json', 'npm-shrinkwrap.json']
const foreignMarks = ['.modules.yaml', '.yarn-state.yml', '.yarn-integrity']

type Names = Record<string, string>

interface Manifest {
  dependencies?: Names
  devDependencies?: Names
  optionalDependencies?: Names
  overrides?: unknown
  allowScripts?: unknown
  workspaces?: unknown
}

interface LockedPackage extends Manifest {
  version?: string
  resolved?: string
  integrity?: string
  dev?: boolean
  optional?: boolean
  devOptional?: boolean
  link?: boolean
}

interface Lock {
  packages?: Record<string, LockedPackage>
}

/** Null when nothing is asked for that a job could need. Throws in words when `package.json` cannot be read. */
export function readWanted(jobsDir: string): Wanted | null {
  const manifest = readManifest(jobsDir)
  const { dependencies = {}, optionalDependencies = {}, workspaces } = manifest
  const names = { ...dependencies, ...optionalDependencies }
  if (Object.keys(names).length === 0 && !workspaces) return null

  const lockText = lockFiles.map(name => readText(join(jobsDir, name))).find(text => text !== null) ?? null
  const lock = lockText === null ? null : parse<Lock>(lockText)
  const hidden = parse<Lock>(readText(join(jobsDir, 'node_modules/.package-lock.json')) ?? '')
  const npmrc = readText(join(jobsDir, '.npmrc'))
  const built = [manifest.allowScripts, process.versions.modules]
  const parts = [names, manifest.overrides, workspaces, lockText, npmrc, built].map(hashOf)
  const key = parts.join(' ')
  const mark = readText(join(jobsDir, markFile))
  const required = Object.keys(dependencies)
  const withDev = Object.values(hidden?.packages ?? {}).some(each => each.dev)
  return {
    key,
    name: hashOf([key, withDev]),
    command:
      lock && fits(lock, manifest, ['dependencies', 'optionalDependencies', 'devDependencies'])
        ? 'ci'
        : 'install',
    inPlace: Boolean(workspaces) || Object.values(names).some(spec => /^(file|link):|^[./~]/.test(spec)),
    withDev,
    there:
      (lock?.packages !== undefined &&
        (mark === null || mark.endsWith(hashOf(built))) &&
        fits(lock, manifest, ['dependencies', 'optionalDependencies']) &&
        holds(hidden, lock.packages)) ||
      ((isForeign(jobsDir) || mark === key) && areThere(jobsDir, required)),
  }
}

function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 20)
}

function readManifest(jobsDir: string): Manifest {
  const file = join(jobsDir, 'package.json')
  const text = readText(file)
  if (text === null) {
    if (existsSync(file)) throw new Error('must be a regular file of at most 64 MiB')
    return {}
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`is not valid JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null) throw new Error('must be a JSON object')
  for (const field of ['dependencies', 'optionalDependencies'] as const) {
    const names: unknown = (value as Manifest)[field] ?? {}
    const valid =
      typeof names === 'object' && Object.values(names as object).every(spec => typeof spec === 'string')
    if (!valid)
      throw new Error(`"${field}" must name packages with their versions, such as { "date-fns": "^4.1.0" }`)
  }
  return value as Manifest
}

/** True when the lockfile was made for these fields of `package.json`. */
function fits(lock: Lock, manifest: Manifest, fields: (keyof Manifest)[]): boolean {
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

function parse<T>(text: string): T | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? (value as T | null) : null
  } catch {
    return null
  }
}

/** Longer than any lockfile. */
const longestText = 64 * 1024 * 1024

/** Null for what is no regular file, too: a pipe in its place must not stop the runtime. */
export function readText(file: string): string | null {
  return readRegular(file, longestText)?.toString('utf8') ?? null
}
