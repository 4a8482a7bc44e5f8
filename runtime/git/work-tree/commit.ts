import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { readRegular } from '../../../src/storage/regular-file.ts'
import { coAuthorLine, longhouse } from '../authors.ts'
import { repoBounds } from '../bounds.ts'
import { type Change, messageOf } from '../changes.ts'
import { atomicFs as fs } from '../objects/atomic-fs.ts'
import { excludePackages } from '../objects/git-exclude.ts'
import {
  type IndexEntry,
  indexEntry,
  indexWith,
  lockIndex,
  readIndex,
  stampOf,
  unlockIndex,
  writeIndex,
} from '../objects/index-file.ts'
import { type Entry, type Objects, openObjects } from '../objects/objects.ts'
import { placeOf } from '../objects/path-bytes.ts'
import { changedPaths, withChanges } from '../objects/tree-changes.ts'
import { countExecutableBits } from './executable-bits.ts'
import type { CommitWords } from './protocol.ts'
import { contentAt, type Scan, scanWorkTree, workTreeSettings } from './work-tree-scan.ts'

const lockWords = 'longhouse commit\n'

/** What `stage` made of the files: a tree that differs from HEAD's only in these paths. */
export interface Staged {
  branch: string
  /** Null for the first commit. */
  parent: string | null
  tree: string
  changes: ReadonlyMap<string, { before: Entry | null; after: Entry | null }>
}

/** `staged` is null if there is nothing to commit; `refused` says why a commit is impossible. */
export interface Staging {
  staged: Staged | null
  refused: string | null
}

/** Stages the differences between HEAD and the files. Writes objects, and changes neither index nor branch. */
export async function stageFiles(dir: string): Promise<Staging> {
  forgetLock(dir)
  excludePackages(dir)
  const { branch, parent, objects, tree } = await standing(dir)
  await countExecutableBits(dir, { objects, tree, lockWords })
  const index = readIndex(dir)
  const scan = await scanWorkTree({ dir, objects, tree, index })
  if (scan.changes.length === 0) {
    rememberFiles(dir, scan)
    return { staged: null, refused: null }
  }
  const refused = unfinishedWork(dir, branch, index.entries) ?? tooLarge(dir, scan)
  if (refused !== null || branch === null) return { staged: null, refused }
  const settings = await workTreeSettings(dir)
  const changes = new Map<string, { before: Entry | null; after: Entry | null }>()
  for (const { path, before, after } of scan.changes) {
    // Read again: what is committed is what is written here, whatever it was when it was compared.
    const oid = after && objects.writeBlob(await contentAt(dir, path, settings))
    changes.set(path, { before, after: after && { mode: after.mode, oid: oid as string } })
  }
  return { staged: await stagedOf(objects, { branch, parent, tree, changes }), refused: null }
}

/** Stages the differences between HEAD and another commit, whatever the files contain. */
export async function stageCommit(dir: string, commit: string): Promise<Staging> {
  forgetLock(dir)
  const { branch, parent, objects, tree } = await standing(dir)
  const refused = unfinishedWork(dir, branch, readIndex(dir).entries)
  if (refused !== null || branch === null) return { staged: null, refused }
  const changes = await changedPaths(objects, tree, await objects.treeOf(commit))
  if (changes.size === 0) return { staged: null, refused: null }
  return { staged: await stagedOf(objects, { branch, parent, tree, changes }), refused: null }
}

/** Stages the files of a folder as the first commit of an empty repo. */
export async function stageFirst(dir: string, files: ReadonlyMap<string, Uint8Array>): Promise<Staging> {
  const { branch, parent, objects } = await standing(dir)
  if (branch === null || parent !== null) return { staged: null, refused: null }
  const changes = new Map(
    [...files].map(([path, content]) => {
      const after = { mode: '100644', oid: objects.writeBlob(content) }
      return [path, { before: null, after }]
    }),
  )
  return { staged: await stagedOf(objects, { branch, parent, tree: null, changes }), refused: null }
}

async function stagedOf(
  objects: Objects,
  { branch, parent, tree, changes }: Omit<Staged, 'tree'> & { tree: string | null },
): Promise<Staged> {
  const edits = new Map([...changes].map(([path, { after }]) => [path, after]))
  return { branch, parent, changes, tree: (await withChanges(objects, tree, edits)) ?? objects.writeTree([]) }
}

/** Commits what was staged, on the parent it was staged for. Throws if that is no longer HEAD. */
export async function commitStaged(dir: string, staged: Staged, words: CommitWords): Promise<string> {
  const { branch, parent, tree, changes } = staged
  if (!lockIndex(dir, lockWords)) throw new Error(busy)
  try {
    const head = await headOf(dir)
    if (head !== parent || (await git.currentBranch({ fs, dir })) !== branch) {
      throw new Error('the jobs repo was committed to meanwhile')
    }
    const [author = longhouse, ...others] = words.authors ?? []
    const note = [words.note, others.map(coAuthorLine).join('\n')].filter(Boolean).join('\n\n')
    const message = messageOf(inWords(changes), { ...words, note })
    const at = { timestamp: Math.floor(Date.now() / 1000), timezoneOffset: 0 }
    const oid = await git.writeCommit({
      fs,
      dir,
      commit: {
        tree,
        parent: parent === null ? [] : [parent],
        author: { ...author, ...at },
        committer: { ...longhouse, ...at },
        message: `${message}\n`,
      },
    })
    // Written before the branch: after a kill in between, the index matches the files.
    writeIndex(dir, indexWith(readIndex(dir).entries, indexed(changes)))
    await git.writeRef({ fs, dir, ref: `refs/heads/${branch}`, value: oid, force: true })
    return oid
  } finally {
    unlockIndex(dir, lockWords)
  }
}

function indexed(changes: Staged['changes']): Map<string, IndexEntry | null> {
  return new Map(
    [...changes].map(([path, { after }]) => [path, after && indexEntry(path, after, leftOut(path))]),
  )
}

/** Packages are never checked out: the index entry makes git treat them as unchanged. */
export function leftOut(path: string): Partial<IndexEntry> {
  return isPackage(path) ? { skipWorktree: true } : {}
}

export const isPackage = (path: string) => path.split('/').includes('node_modules')

/** Updates the index for files that match it, so that they need not be read each time. */
function rememberFiles(dir: string, { reread }: Pick<Scan, 'reread'>): void {
  const aged = reread
    .map(each => ({ ...each, stamp: stampOf(each.found) }))
    .filter(({ stamp }) => stamp.some(byte => byte !== 0))
  if (aged.length === 0 || !lockIndex(dir, lockWords)) return
  try {
    const stamps = new Map(aged.map(({ path, entry, stamp }) => [path, { entry, stamp }]))
    const { entries } = readIndex(dir)
    writeIndex(
      dir,
      entries.map(each => {
        const found = stamps.get(each.path)
        const same =
          found && each.stage === 0 && each.oid === found.entry.oid && each.mode === found.entry.mode
        return same ? { ...each, stamp: found.stamp } : each
      }),
    )
  } finally {
    unlockIndex(dir, lockWords)
  }
}

/** Returns the state of the repo: its branch, its last commit and that commit's tree. */
export async function standing(
  dir: string,
): Promise<{ branch: string | null; parent: string | null; objects: Objects; tree: string | null }> {
  const branch = (await git.currentBranch({ fs, dir })) ?? null
  const parent = await headOf(dir)
  const objects = openObjects(dir)
  return { branch, parent, objects, tree: await objects.treeOf(parent) }
}

/**
 * The last commit; null before the first one. Throws when it cannot be read: an unreadable head is not an absent one,
 * and a first commit in its place would cut off the history.
 */
async function headOf(dir: string): Promise<string | null> {
  const branch = await git.currentBranch({ fs, dir })
  const head = await git.resolveRef({ fs, dir, ref: 'HEAD' }).catch((error: unknown) => {
    if (error instanceof git.Errors.NotFoundError) return null
    throw error
  })
  if (head !== null || !branch) return head
  const packed = join(dir, '.git/packed-refs')
  const isThere = (file: string) => lstatSync(file, { throwIfNoEntry: false }) !== undefined
  if (
    isThere(join(dir, '.git/refs/heads', branch)) ||
    (isThere(packed) && !readRegular(packed, largestRefs))
  ) {
    throw new Error(`the commit of the branch ${branch} of the jobs repo cannot be read`)
  }
  return null
}

const largestRefs = 16 * 1024 * 1024

/** A customer cannot begin such an operation without a shell, nor end it. */
const orAsk = '; if you have no shell there, ask the operator'

const busy = `another git program is at work in the jobs repo; when none is, remove .git/index.lock${orAsk}`

/** Describes an unfinished operation of git itself, such as a merge; null when there is none. */
export function unfinishedWork(
  dir: string,
  branch: string | null,
  entries: readonly IndexEntry[],
): string | null {
  if (branch === null)
    return `the jobs repo is on no branch (detached HEAD); go back to one, as with git switch main${orAsk}`
  for (const [file, what] of Object.entries(unfinished)) {
    if (existsSync(join(dir, '.git', file)))
      return `a ${what} is in progress in the jobs repo; finish it with git ${finish[what] ?? `${what} --continue`}, or leave it with git ${what} --abort${orAsk}`
  }
  const conflict = entries.find(({ stage }) => stage > 0)
  if (conflict)
    return `${conflict.path} has a conflict that is not resolved; choose what it is to be, then git add it${orAsk}`
  if (existsSync(join(dir, '.git/index.lock'))) return busy
  return null
}

const unfinished = {
  MERGE_HEAD: 'merge',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase',
}
const finish: Record<string, string> = { merge: 'commit' }

/** Only one of our own programs commits at a time, so a lock of ours belongs to a killed one. */
function forgetLock(dir: string): void {
  unlockIndex(dir, lockWords)
}

function tooLarge(dir: string, { changes }: Scan): string | null {
  const size = changes.reduce(
    (sum, { path, after }) =>
      sum + (after ? Number(lstatSync(placeOf(dir, path), { throwIfNoEntry: false })?.size ?? 0) : 0),
    0,
  )
  return size > repoBounds.bytes ? `a commit of ${Math.round(size / 1024 / 1024)} MiB is too large` : null
}

function inWords(changes: Staged['changes']): Change[] {
  return [...changes].map(([file, { before, after }]) => ({
    file: plainName(file),
    kind: after === null ? 'Remove' : before === null ? 'Add' : 'Update',
  }))
}

/** A name may contain line ends, which would change the meaning of a message. */
function plainName(path: string): string {
  return /\p{C}/u.test(path) ? JSON.stringify(path) : path
}
