import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import git from 'isomorphic-git'
import { journalPath } from '../journal.ts'
import type { CheckedOut } from '../merge/sync-protocol.ts'
import { parents } from '../merge/trees.ts'
import { atomicFs, writeWhole } from '../objects/atomic-fs.ts'
import {
  indexEntry,
  indexWith,
  lockIndex,
  readIndex,
  unlockIndex,
  writeIndex,
} from '../objects/index-file.ts'
import { type Entry, isSubmodule, openObjects } from '../objects/objects.ts'
import { placeOf } from '../objects/path-bytes.ts'
import { changedPaths, sameEntry } from '../objects/tree-changes.ts'
import { isPackage, leftOut } from './commit.ts'
import { type Change, fileAt, removeEmptyFolders, WorkTree } from './work-tree.ts'

/** The journal by which a killed checkout is found. */
interface Journal {
  pid: number
  branch: string
  from: string
  to: string
}

const lockWords = 'longhouse sync\n'

/**
 * Moves files, index and branch from one commit to another, or changes nothing. Never overwrites an edit made
 * meanwhile. Holds git’s own lock, so that no other git program uses the index at the same time.
 */
export async function checkout(
  dir: string,
  { branch, from, to }: { branch: string; from: string; to: string },
): Promise<CheckedOut> {
  const refuse = (refused: string, { stale = false, edited = null as string | null } = {}): CheckedOut => ({
    done: false,
    refused,
    stale,
    edited,
  })
  if (fs.existsSync(journalPath(dir))) await recoverCheckout(dir)
  if ((await headOf(dir, branch)) !== from)
    return refuse('the jobs repo was committed to meanwhile', { stale: true })
  if (fs.existsSync(join(dir, '.git/MERGE_HEAD'))) return refuse('a merge is in progress in the jobs repo')
  if ((await git.currentBranch({ fs: atomicFs, dir })) !== branch) {
    return refuse(`the jobs repo is not on ${branch}`)
  }
  const changes = await changesBetween(dir, from, to)
  const staged = stagedAmong(dir, changes)
  if (staged) return refuse(editedWords(staged), { edited: staged })
  if (!lockIndex(dir, lockWords)) return refuse('another git program is at work in the jobs repo')
  writeWhole(journalPath(dir), JSON.stringify({ pid: process.pid, branch, from, to } satisfies Journal))
  return finish(dir, { branch, from, to }, changes, { resumed: false })
}

/** Completes a checkout that was killed, or undoes it if a file was edited since. */
export async function recoverCheckout(dir: string): Promise<void> {
  const journal = readJournal(dir)
  if (!journal) return
  await endOf(journal.pid)
  const head = await headOf(dir, journal.branch)
  if (head !== journal.from) {
    // It was complete, or a person has moved the branch by hand since.
    const changes = head === journal.to ? await changesBetween(dir, journal.from, journal.to) : []
    recordInIndex(dir, changes)
    return tidyUp(dir)
  }
  await finish(dir, journal, await changesBetween(dir, journal.from, journal.to), { resumed: true })
}

async function finish(
  dir: string,
  { branch, from, to }: Omit<Journal, 'pid'>,
  changes: readonly Change[],
  { resumed }: { resumed: boolean },
): Promise<CheckedOut> {
  const tree = new WorkTree(dir, join(dir, '.git/longhouse-sync'))
  const files = fileChanges(changes)
  const objects = openObjects(dir)
  for (const { before, after } of files) {
    for (const entry of [before, after]) if (entry) await tree.stage(entry, () => objects.blob(entry.oid))
  }
  tree.restore()
  dropModuleFolders(dir, changes)
  const inTheWay = tree.change(files, { resumed })
  if (inTheWay) {
    const back = changes.map(({ path, before, after }) => ({ path, before: after, after: before }))
    makeModuleFolders(dir, back)
    if (resumed) recordInIndex(dir, back)
    tree.keepLateEdits(files)
    tidyUp(dir)
    return { done: false, refused: editedWords(inTheWay), stale: false, edited: inTheWay }
  }
  makeModuleFolders(dir, changes)
  recordInIndex(dir, changes)
  if ((await headOf(dir, branch)) === from) {
    await git.writeRef({ fs: atomicFs, dir, ref: `refs/heads/${branch}`, value: to, force: true })
  }
  tree.keepLateEdits(files)
  tidyUp(dir)
  return { done: true }
}

const editedWords = (path: string) =>
  `${path} has changes here that are not committed, because they do not load or git ignores them. They are kept, and the remote’s version waits`

async function headOf(dir: string, branch: string): Promise<string | null> {
  return git.resolveRef({ fs: atomicFs, dir, ref: `refs/heads/${branch}` }).catch(() => null)
}

/** Returns every path in which two commits differ, removals first: a folder may replace a file. */
export async function changesBetween(dir: string, from: string, to: string): Promise<Change[]> {
  const objects = openObjects(dir)
  const found = await changedPaths(objects, await objects.treeOf(from), await objects.treeOf(to))
  const changes = [...found].map(([path, { before, after }]) => ({ path, before, after }))
  return changes.sort((a, b) => Number(a.after !== null) - Number(b.after !== null))
}

/** Leaves out packages, which are installed and not checked out, and submodules, which are empty folders. */
export function fileChanges(changes: readonly Change[]): Change[] {
  const asFile = (entry: Entry | null) => (entry && isSubmodule(entry) ? null : entry)
  return changes
    .filter(({ path }) => !isPackage(path))
    .map(({ path, before, after }) => ({ path, before: asFile(before), after: asFile(after) }))
    .filter(({ before, after }) => !sameEntry(before, after))
}

/** Creates a folder for each new submodule, as git does. */
export function makeModuleFolders(dir: string, changes: readonly Change[]): void {
  for (const { path, after } of changes) {
    if (!after || !isSubmodule(after) || isPackage(path)) continue
    try {
      fs.mkdirSync(placeOf(dir, path), { recursive: true })
    } catch (error) {
      // Something else is there, which stays.
      if (!['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

/** Removes the empty folders of removed submodules; files in them stay. */
export function dropModuleFolders(dir: string, changes: readonly Change[]): void {
  for (const { path, before, after } of changes) {
    if (!before || !isSubmodule(before) || (after && isSubmodule(after))) continue
    try {
      fs.rmdirSync(placeOf(dir, path))
      removeEmptyFolders(dir, path)
    } catch {
      // It is not empty, or missing.
    }
  }
}

/** Returns one of these files that has uncommitted content in the index. */
function stagedAmong(dir: string, changes: readonly Change[]): string | null {
  const known = new Map(changes.map(({ path, before }) => [path, before]))
  const folders = new Set(changes.flatMap(({ path }) => parents(path)))
  for (const { path, oid } of readIndex(dir).entries) {
    const before = known.get(path)
    if (before === undefined || folders.has(path) || isPackage(path)) continue
    if (oid !== before?.oid) return path
  }
  return null
}

function recordInIndex(dir: string, changes: readonly Change[]): void {
  const entries = changes.map(
    ({ path, after }) => [path, after && indexEntry(path, after, leftOut(path))] as const,
  )
  writeIndex(dir, indexWith(readIndex(dir).entries, new Map(entries)))
}

/** Deletes the journal after everything but the lock: without the journal, no one would remove the lock. */
function tidyUp(dir: string): void {
  unlockIndex(dir, lockWords)
  fs.rmSync(join(dir, '.git/longhouse-sync'), { recursive: true, force: true })
}

function readJournal(dir: string): Journal | null {
  const text = fileAt(journalPath(dir))
  if (text !== null) return JSON.parse(text) as Journal
  // Killed between the lock and the journal.
  if (fileAt(join(dir, '.git/index.lock')) === lockWords) tidyUp(dir)
  return null
}

/** The killed process may still be about to end. */
async function endOf(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (pid !== process.pid && isOurProgram(pid) && performance.now() < deadline) await wait(20)
}

function isOurProgram(pid: number): boolean {
  try {
    return /sync|receive/.test(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
  } catch {
    return false
  }
}
