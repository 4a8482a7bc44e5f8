import { existsSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { readRegular } from '../../src/storage/regular-file.ts'
import { parsedJson } from './build.ts'
import { packagesOf } from './packages-of.ts'

type Names = Record<string, unknown>
interface Manifest {
  dependencies?: Names
  optionalDependencies?: Names
  devDependencies?: Names
}
interface Lock {
  packages?: Record<string, { dev?: boolean } | undefined>
}

const longestText = 64 * 1024 * 1024

/** In the order in which npm reads them; the last one is what it writes beside the packages. */
const lockFiles = ['npm-shrinkwrap.json', 'package-lock.json', 'node_modules/.package-lock.json']

export interface InstalledPackages {
  /** The name of the installation; null when the packages lie in the repo itself, or there are none. */
  name: string | null
  /** Whether a package is installed for the files of a folder. */
  has(name: string, folder: string): boolean
}

/** What is installed for the repo. In a clone, packages that an instance leaves out do not count. */
export function installedPackages(
  repo: string,
  { clone, isThere }: { clone: boolean; isThere: (path: string) => boolean },
): InstalledPackages {
  const packages = packagesOf(repo)
  const isLeftOut = clone ? developmentOnly(repo) : () => false
  return {
    name: packages && basename(packages),
    has: (name, folder) =>
      (isThere(join(folder, 'node_modules', name)) && !isLeftOut(name, folder)) ||
      (packages !== null && existsSync(join(packages, folder, 'node_modules', name))),
  }
}

/**
 * Tells whether a package in `node_modules` of a folder of the repo is one that `npm install --omit=dev`, and so an
 * instance, leaves out. The steps: 1. What package.json names for running is installed, whatever an older lockfile says.
 * 2. The lockfile knows of the others. 3. Without one, what package.json names for development is left out.
 */
function developmentOnly(repo: string): (name: string, folder: string) => boolean {
  const manifest = read<Manifest>(repo, 'package.json')
  const { dependencies = {}, optionalDependencies = {}, devDependencies = {} } = manifest ?? {}
  const locks = lockFiles.map(file => read<Lock>(repo, file)).filter(lock => lock !== null)
  return (name, folder) => {
    if (folder === '.' && (Object.hasOwn(dependencies, name) || Object.hasOwn(optionalDependencies, name)))
      return false
    const path = posix.join(folder, 'node_modules', name)
    const locked = locks.map(({ packages = {} }) => packages[path]).find(each => each !== undefined)
    if (locked !== undefined) return locked.dev === true
    return folder === '.' && Object.hasOwn(devDependencies, name)
  }
}

/** Null for what is not there, or no JSON object. */
function read<T>(repo: string, file: string): T | null {
  const text = readRegular(join(repo, file), longestText)?.toString('utf8')
  const value = text === undefined ? null : parsedJson(text)
  return typeof value === 'object' ? (value as T | null) : null
}
