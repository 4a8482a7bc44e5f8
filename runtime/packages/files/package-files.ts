import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular } from '../../../src/storage/regular-file.ts'
import { findInFile, PackagesFault } from './fault.ts'

type Names = Record<string, string>

/** What an installation depends on of a `package.json`. */
export interface Manifest {
  name?: unknown
  version?: unknown
  dependencies?: Names
  devDependencies?: Names
  optionalDependencies?: Names
  peerDependencies?: Names
  peerDependenciesMeta?: unknown
  overrides?: unknown
  allowScripts?: unknown
  workspaces?: unknown
  engines?: unknown
  os?: unknown
  cpu?: unknown
  bin?: unknown
  bundleDependencies?: unknown
}

export interface LockedPackage extends Manifest {
  version?: string
  resolved?: string
  integrity?: string
  dev?: boolean
  optional?: boolean
  devOptional?: boolean
  link?: boolean
  inBundle?: boolean
  hasInstallScript?: boolean
}

export interface Lock {
  packages?: Record<string, LockedPackage>
}

/** npm takes the first one that is there. */
export const lockFiles = ['npm-shrinkwrap.json', 'package-lock.json'] as const

/** Throws in words when `package.json` cannot be read, and returns {} when there is none. */
export function readManifest(jobsDir: string): Manifest {
  const file = join(jobsDir, 'package.json')
  const text = readText(file)
  if (text === null) {
    refuseOther(jobsDir, 'package.json')
    return {}
  }
  const value = parsed(text, 'package.json', '')
  if (typeof value !== 'object' || value === null) throw new PackagesFault('must be a JSON object')
  for (const field of ['dependencies', 'optionalDependencies', 'devDependencies'] as const) {
    const names: unknown = (value as Manifest)[field] ?? {}
    const valid =
      typeof names === 'object' && Object.values(names as object).every(spec => typeof spec === 'string')
    if (!valid && field !== 'devDependencies')
      throw new PackagesFault(
        `"${field}" must name packages with their versions, such as { "date-fns": "^4.1.0" }`,
        { line: findInFile(text, `"${field}"`) },
      )
    if (!valid) delete (value as Manifest)[field]
  }
  return value as Manifest
}

/** Throws in words when something else than a file that can be read has this name. */
export function refuseOther(jobsDir: string, file: string): void {
  if (lstatSync(join(jobsDir, file), { throwIfNoEntry: false }))
    throw new PackagesFault('must be a regular file of at most 64 MiB, and no link', { file })
}

/** The lockfile of the repo; null when there is none. Throws in words when it is not valid: npm would make it anew. */
export function readLock(jobsDir: string): { text: string; lock: Lock } | null {
  for (const name of lockFiles) {
    const text = readText(join(jobsDir, name))
    if (text === null) {
      refuseOther(jobsDir, name)
      continue
    }
    const advice = ' Restore it from an earlier commit, or delete it: it is then made anew.'
    const lock = parsed(text, name, advice)
    if (typeof lock !== 'object' || lock === null || Array.isArray(lock))
      throw new PackagesFault(`is not a lockfile of npm.${advice}`, { file: name })
    return { text, lock: lock as Lock }
  }
  return null
}

function parsed(text: string, file: string, advice: string): unknown {
  const conflict = findInFile(text, /^(<{7} |={7}$|>{7} )/m)
  if (conflict !== null)
    throw new PackagesFault(
      `merge conflict not resolved: choose between the two sides, and remove its marks.${advice}`,
      { file, line: conflict },
    )
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const [, at = ''] = /\(line (\d+) /.exec(message) ?? []
    throw new PackagesFault(`is not valid JSON: ${message}.${advice}`, { file, line: Number(at) || null })
  }
}

/** Null for what is no JSON object. */
export function parseText<T>(text: string): T | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? (value as T | null) : null
  } catch {
    return null
  }
}

/** Longer than any lockfile. */
const longestText = 64 * 1024 * 1024

/**
 * Null for what is no regular file, too: a pipe in its place must not stop the runtime, and a link may lead to a file that
 * neither jobs nor scripts of packages may read. npm prints what is wrong in its settings.
 */
export function readText(file: string): string | null {
  return readPlain(file)?.toString('utf8') ?? null
}

/** The bytes of a regular file, as `readText` reads it. */
export function readPlain(file: string): Buffer | null {
  return readRegular(file, longestText, { follow: false })
}
