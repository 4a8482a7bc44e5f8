import { lstatSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { readRegular } from '../../src/storage/regular-file.ts'
import { isWithin } from '../isolation/reach.ts'
import { packagesOf } from '../modules/packages-of.ts'
import type { ManifestError } from './manifest-error.ts'

/**
 * True if the file is outside the repo, or a link that leads out of it. Installed packages count as inside. `repo`
 * contains no links.
 */
export function isOutside(file: string, repo: string): boolean {
  if (!isWithin(file, repo)) return true
  try {
    const real = realpathSync(file)
    if (isWithin(real, repo)) return false
    const packages = packagesOf(repo)
    return packages === null || !isWithin(real, packages)
  } catch {
    // A link with an unreachable target leads out; a missing file does not.
    return isLinkOnTheWay(file, repo)
  }
}

function isLinkOnTheWay(file: string, repo: string): boolean {
  for (let each = file; each !== repo && isWithin(each, repo); each = dirname(each)) {
    if (lstatSync(each, { throwIfNoEntry: false })?.isSymbolicLink()) return true
  }
  return false
}

/** Describes a file that the compiler was led to, without its content. */
export function outsideInWords(
  file: string,
  repo: string,
  from: Omit<ManifestError, 'message'> = { file: 'manifest.ts', line: null, column: null },
): ManifestError {
  if (isWithin(file, repo)) {
    const message = 'is a link out of the jobs repo; put the file itself here'
    return { file: relative(repo, file), line: null, column: null, message }
  }
  const message = `an import, a setting, a link or a source map leads to ${file}, which lies outside the jobs repo; put what it needs here`
  return { ...from, message }
}

const settingsFiles = ['tsconfig.json', 'jsconfig.json', 'package.json', 'manifest.ts']
const largestSettings = 1024 * 1024
const longestChain = 20

/**
 * Returns the compiler settings in these folders of the repo, and the manifest, if they are or extend files outside
 * the repo.
 */
export function settingsOutside(repo: string, folders: Iterable<string>): ManifestError[] {
  const seen = new Set<string>()
  const check = (file: string, depth: number): ManifestError[] => {
    if (seen.has(file) || depth > longestChain) return []
    seen.add(file)
    if (isOutside(file, repo)) return [outsideInWords(file, repo)]
    if (/(^|\/)(package\.json|manifest\.ts)$/.test(file)) return []
    const text = readRegular(file, largestSettings)?.toString('utf8') ?? ''
    return extendedBy(text).flatMap(({ name, line }) => {
      const base = baseOf(name, file, repo)
      if ([base, `${base}.json`].some(each => isOutside(each, repo))) {
        const message = `extends "${name}", which lies outside the jobs repo; put that file here, or name a package`
        return [{ file: relative(repo, file), line, column: null, message }]
      }
      return [base, `${base}.json`].flatMap(each => check(each, depth + 1))
    })
  }
  return [...folders].flatMap(folder => settingsFiles.flatMap(name => check(join(repo, folder, name), 0)))
}

/** Where a `tsconfig.json` looks for what it extends; a package is searched for among the repo's own. */
function baseOf(name: string, file: string, repo: string): string {
  if (isAbsolute(name)) return name
  return /^\.\.?(\/|$)/.test(name) ? join(dirname(file), name) : join(repo, 'node_modules', name)
}

/** The names after `"extends"`, one or a list. These files may contain comments, so they are not parsed as JSON. */
function extendedBy(text: string): { name: string; line: number }[] {
  const found = /"extends"\s*:\s*(\[[^\]]*\]|"(?:[^"\\]|\\.)*")/.exec(text)
  if (!found) return []
  const line = text.slice(0, found.index).split('\n').length
  return [...(found[1] ?? '').matchAll(/"(?:[^"\\]|\\.)*"/g)].flatMap(([quoted]) => {
    try {
      return [{ name: JSON.parse(quoted) as string, line }]
    } catch {
      return []
    }
  })
}
