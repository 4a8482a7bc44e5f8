import { globSync, lstatSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { scratchFolder } from '../../isolation/reach.ts'
import { findInFile, PackagesFault } from './fault.ts'
import { type Manifest, parseText, readText } from './package-files.ts'

/** What of the repo itself is installed as packages. */
export interface OwnFolders {
  /** The `package.json` of each workspace and `file:` folder, by its folder relative to the repo. */
  manifests: ReadonlyMap<string, Manifest>
  /** Packed packages that `file:` names. */
  archives: readonly string[]
}

const kinds = ['dependencies', 'optionalDependencies', 'devDependencies'] as const

/** More workspaces than any repo has. */
const mostFolders = 2000

/**
 * Reads what `package.json` names of the repo itself, and what that names in turn. Throws in words where it leads out of
 * the repo, or has a protocol that npm does not know.
 */
export function ownFolders(jobsDir: string, root: Manifest): OwnFolders {
  const manifests = new Map<string, Manifest>()
  const archives = new Set<string>()
  const waiting = workspaceFolders(jobsDir, root.workspaces)
  const follow = (folder: string, manifest: Manifest) => {
    const file = posix.join(folder, 'package.json')
    for (const [name, spec] of kinds.flatMap(kind => Object.entries(manifest[kind] ?? {}))) {
      refuseForeign(jobsDir, file, name, spec)
      const path = localPath(spec)
      if (path === null) continue
      const target = posix.join(folder, path)
      if (path.startsWith('/') || path.startsWith('~') || isAbove(target))
        throw outside(jobsDir, file, name, spec)
      if (target === scratchFolder || target.startsWith(`${scratchFolder}/`))
        throw new PackagesFault(
          `names ${name} as "${spec}", which lies in ${scratchFolder}/, where jobs may replace it at any time: put it into another folder of the repo`,
          { file, line: lineOf(jobsDir, file, name) },
        )
      if (isArchive(target)) archives.add(target)
      else waiting.push(target)
    }
  }
  follow('', root)
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const plain = posix.join(folder, '.').replace(/\/$/, '')
    if (plain === '.' || manifests.has(plain) || !isFolderOf(jobsDir, join(jobsDir, plain))) continue
    if (manifests.size >= mostFolders) throw new PackagesFault(`names more than ${mostFolders} workspaces`)
    const manifest = parseText<Manifest>(readText(join(jobsDir, plain, 'package.json')) ?? '')
    if (manifest === null || Array.isArray(manifest)) continue
    manifests.set(plain, manifest)
    follow(plain, manifest)
  }
  return { manifests, archives: [...archives].sort() }
}

/** True if the manifest alone shows that there is none. */
export function hasNoOwn(manifest: Manifest): boolean {
  return (
    !manifest.workspaces &&
    !kinds.some(kind =>
      Object.values(manifest[kind] ?? {}).some(spec => localPath(spec) !== null || foreign.test(spec)),
    )
  )
}

/** The path that a version stands for; null for one from elsewhere. */
function localPath(spec: string): string | null {
  const path = /^file:(?:\/\/(?=\/|\.))?(.*)$/s.exec(spec)?.[1]
  return path ?? (/^(\.{1,2}|~)?\/|^\.{1,2}$/.test(spec) ? spec : null)
}

const isArchive = (path: string) => /\.(tgz|tar\.gz|tar)$/i.test(path)
const isAbove = (path: string) => path === '..' || path.startsWith('../')

function workspaceFolders(jobsDir: string, workspaces: unknown): string[] {
  const listed = Array.isArray(workspaces)
    ? workspaces
    : ((workspaces as { packages?: unknown } | undefined)?.packages ?? [])
  if (!Array.isArray(listed)) return []
  const patterns = listed.filter(each => typeof each === 'string').map(each => each.replace(/^\.?\/+/, ''))
  const wanted = patterns.filter(each => !each.startsWith('!') && !each.split('/').includes('..'))
  const found = globSync(
    wanted.map(each => posix.join(each, 'package.json')),
    { cwd: jobsDir, exclude: path => /(^|\/)(node_modules|\.git)$/.test(path) || path === scratchFolder },
  )
  const refused = patterns
    .filter(each => each.startsWith('!'))
    .map(each => each.slice(1).replace(/^\.?\/+|\/+$/g, ''))
  return found.map(dirname).filter(folder => !refused.some(each => posix.matchesGlob(folder, each)))
}

const foreign = /^(link|portal|catalog|patch|workspace):/

/** Of other package managers. */
function refuseForeign(jobsDir: string, file: string, name: string, spec: string): void {
  const protocol = foreign.exec(spec)?.[1]
  if (!protocol) return
  const rest = spec.slice(protocol.length + 1)
  const advice =
    protocol === 'link' || protocol === 'portal'
      ? `write "file:${rest}"`
      : protocol === 'workspace'
        ? `write "${/^[~^*]?$/.test(rest) ? '*' : rest}", which npm takes from the workspace`
        : 'write the version itself, such as "^1.2.3"'
  throw new PackagesFault(
    `names ${name} as "${spec}", which only other package managers understand: ${advice}`,
    { file, line: lineOf(jobsDir, file, name) },
  )
}

function outside(jobsDir: string, file: string, name: string, spec: string): PackagesFault {
  const message = `names ${name} as "${spec}", which lies outside the jobs repo: put that folder into the repo, and name it from here, such as "file:./packages/${name.split('/').at(-1)}"`
  return new PackagesFault(message, { file, line: lineOf(jobsDir, file, name) })
}

function lineOf(jobsDir: string, file: string, name: string): number | null {
  return findInFile(readText(join(jobsDir, file)), `"${name}"`)
}

/** True below the repo, without a link on the way. */
export function isFolderOf(dir: string, folder: string): boolean {
  if (folder === dir || !folder.startsWith(`${dir}/`) || folder === join(dir, '.git')) return false
  for (let each = folder; each !== dir; each = dirname(each)) {
    if (!lstatSync(each, { throwIfNoEntry: false })?.isDirectory()) return false
  }
  return true
}
