import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular } from '../../src/storage/regular-file.ts'
import { repoObstacle } from '../repo/contract.ts'

/** What git may use: one object in memory, and its caches. */
const settings = `[core]
	repositoryformatversion = 0
	bare = true
	hooksPath = /dev/null
	bigFileThreshold = 8m
	packedGitWindowSize = 16m
	packedGitLimit = 64m
	deltaBaseCacheLimit = 16m
	fsync = loose-object,pack,pack-metadata
[pack]
	threads = 1
	windowMemory = 32m
	deltaCacheSize = 16m
[uploadpack]
	allowReachableSHA1InWant = true
[gc]
	auto = 0
[maintenance]
	auto = false
`

/** The commits that people may see: those of one branch. */
export interface Shown {
  /** Null if the repo is on no branch. */
  branch: string | null
  /** Null before the first commit. */
  head: string | null
}

/**
 * Makes the repository that git sees in place of the customer's: with settings of ours, no hooks, one branch, and the
 * customer's objects, which it only reads. What it receives goes into its own folder. Throws `repo-obstacle` if the
 * jobs repo takes objects from elsewhere.
 */
export function makeServedRepo(folder: string, jobsDir: string, { branch, head }: Shown): void {
  const gitDir = join(jobsDir, '.git')
  const objects = join(gitDir, 'objects')
  const isFolder = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isFolder(gitDir) || !isFolder(objects))
    throw repoObstacle('The jobs repo has no .git folder of its own.')
  if (existsSync(join(objects, 'info/alternates')))
    throw repoObstacle('The jobs repo takes objects from another repository, which git does not serve here.')
  mkdirSync(join(folder, 'objects/info'), { recursive: true })
  mkdirSync(join(folder, 'refs/heads'), { recursive: true })
  writeFileSync(join(folder, 'config'), settings)
  writeFileSync(join(folder, 'objects/info/alternates'), `${objects}\n`)
  writeFileSync(join(folder, 'HEAD'), branch === null ? `${head ?? unborn}\n` : `ref: refs/heads/${branch}\n`)
  // Packed, because a branch may be called like a folder of another one.
  const refs = branch !== null && head !== null ? `${head} refs/heads/${branch}\n` : ''
  writeFileSync(join(folder, 'packed-refs'), refs)
  const shallow = readRegular(join(gitDir, 'shallow'), 1024 * 1024)
  if (shallow) writeFileSync(join(folder, 'shallow'), shallow)
}

const unborn = 'ref: refs/heads/main'

/** The environment of git: no settings, attributes or replacements but those of the repository that we made. */
export const gitEnvironment = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  LC_ALL: 'C.UTF-8',
  // The largest piece of memory that git asks for at once: a small delta may expand to any size.
  GIT_ALLOC_LIMIT: '96m',
}
