import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { type RepoBounds, repoBounds } from '../bounds.ts'
import { pathOf, placeOf } from '../objects/path-bytes.ts'

/** What `obstacleIn` needs from git. Paths are relative to the repo. */
export interface GitKnowledge {
  isIgnored(path: string): Promise<boolean>
  /** Returns the paths in the index. */
  tracked(): Promise<readonly string[]>
}

/**
 * Returns why the repo is too large for git within the memory of an instance; null if it is not. Git reads every file
 * that changed since its index was written, and keeps every name in a folder that is not ignored.
 */
export async function obstacleIn(
  dir: string,
  git: GitKnowledge,
  bounds: RepoBounds = repoBounds,
): Promise<string | null> {
  const indexed = (await lstat(join(dir, '.git/index')).catch(() => null))?.mtimeMs ?? 0
  const all = await measure(dir, indexed, bounds, async () => false)
  if (all.files <= bounds.files && all.bytes <= bounds.bytes) return null

  const tracked = await git.tracked()
  const kept = new Set(tracked.flatMap(foldersOf))
  const { files, bytes, changed, largest } = await measure(
    dir,
    indexed,
    bounds,
    async folder => !kept.has(folder) && (await git.isIgnored(folder)),
  )
  if (files > bounds.files) {
    const where = largest.folder === '' ? 'it' : `${largest.folder}/`
    return `the jobs repo has more than ${bounds.files} files, most of them in ${where}; put data into a separate folder that .gitignore names, such as data/`
  }
  if (bytes <= bounds.bytes) return null
  const known = new Set(tracked)
  let left = 0
  for (const { path, size } of changed.sort((a, b) => b.size - a.size)) {
    if (known.has(path) || !(await git.isIgnored(path))) left += size
    if (left > bounds.bytes) {
      return `more than ${Math.floor(bounds.bytes / 1024 / 1024)} MiB changed in the jobs repo, such as ${path}; put it into .gitignore, or into several smaller commits of a clone`
    }
  }
  return null
}

interface Measured {
  files: number
  bytes: number
  changed: { path: string; size: number }[]
  largest: { folder: string; files: number }
}

/** Stops counting when there are too many files. */
async function measure(
  dir: string,
  since: number,
  bounds: RepoBounds,
  isIgnored: (folder: string) => Promise<boolean>,
): Promise<Measured> {
  const found: Measured = { files: 0, bytes: 0, changed: [], largest: { folder: '', files: 0 } }
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let here = 0
    for await (const { name, isFolder } of entriesIn(dir, folder)) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (isFolder) {
        if (name === 'node_modules' || path === '.git' || (await isIgnored(path))) continue
        folders.push(path)
      } else {
        here++
        const stat = await lstat(placeOf(dir, path)).catch(() => null)
        if (!stat?.isFile() || !isNewer(stat, since)) continue
        found.bytes += stat.size
        found.changed.push({ path, size: stat.size })
      }
      if (found.files + here > bounds.files) break
    }
    found.files += here
    if (here > found.largest.files) found.largest = { folder, files: here }
    if (found.files > bounds.files || folders.length > bounds.files) {
      return { ...found, files: bounds.files + 1 }
    }
  }
  return found
}

/** A job may remove folders meanwhile, and make some that cannot be read. */
async function* entriesIn(dir: string, folder: string): AsyncGenerator<{ name: string; isFolder: boolean }> {
  try {
    // Bytes, since a name need not be UTF-8.
    for await (const entry of await opendir(placeOf(dir, folder), { encoding: 'latin1' }))
      yield { name: pathOf(Buffer.from(entry.name, 'latin1')), isFolder: entry.isDirectory() }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (folder === '' || !['ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG'].includes(code)) throw error
  }
}

function isNewer(stat: Stats, since: number): boolean {
  return Math.max(stat.mtimeMs, stat.ctimeMs) >= since - 1000
}

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
