import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  indexEntry,
  indexWith,
  lockIndex,
  readIndex,
  unlockIndex,
  writeIndex,
} from '../objects/index-file.ts'
import { blobId, type Entry, isSubmodule, openObjects } from '../objects/objects.ts'
import { leftOut, standing, unfinishedWork } from './commit.ts'
import { tooMuchIn } from './too-much.ts'
import { WorkTree } from './work-tree.ts'
import { contentAt, type FoundChange, type Scan, scanWorkTree, workTreeSettings } from './work-tree-scan.ts'

const lockWords = 'longhouse discard\n'

/** What became of a request to discard an edit; nothing was changed unless it is done. */
export type Discarded =
  | { done: true }
  | { done: false; why: 'none' | 'changed' | 'obstacle'; obstacle?: string }

/** The files that differ from HEAD, or what keeps them from being compared. */
export async function uncommittedIn(
  dir: string,
): Promise<{ changes: Scan['changes'] } | { obstacle: string }> {
  const obstacle = await tooMuchIn(dir)
  if (obstacle !== null) return { obstacle }
  const { objects, tree } = await standing(dir)
  const { changes } = await scanWorkTree({ dir, objects, tree, index: readIndex(dir) })
  return { changes }
}

/**
 * Makes one file what it is in HEAD. `expected` is git's id of the content that a person wants to discard, null for a
 * file that is gone: an edit made since is kept, and nothing is changed.
 */
export async function discardEdit(dir: string, path: string, expected: string | null): Promise<Discarded> {
  const found = await uncommittedIn(dir)
  if ('obstacle' in found) return { done: false, why: 'obstacle', obstacle: found.obstacle }
  const change = found.changes.find(each => each.path === path)
  if (!change) return { done: false, why: 'none' }
  if ((change.after?.oid ?? null) !== expected) return { done: false, why: 'changed' }
  const { branch } = await standing(dir)
  const obstacle = unfinishedWork(dir, branch, readIndex(dir).entries)
  if (obstacle !== null) return { done: false, why: 'obstacle', obstacle }
  if (!lockIndex(dir, lockWords)) return { done: false, why: 'changed' }
  try {
    if (!(await putBack(dir, change))) return { done: false, why: 'changed' }
    // What git add took from the edit goes with it.
    const { before } = change
    const entry = before && indexEntry(path, before, leftOut(path))
    writeIndex(dir, indexWith(readIndex(dir).entries, new Map([[path, entry]])))
    return { done: true }
  } finally {
    unlockIndex(dir, lockWords)
  }
}

/** False when the file was edited in that moment: the edit stays. */
async function putBack(dir: string, { path, before, after }: FoundChange): Promise<boolean> {
  const stagingDir = join(dir, '.git/longhouse-discard')
  const tree = new WorkTree(dir, stagingDir)
  const objects = openObjects(dir)
  const change = {
    path,
    before: after && (await asOnDisk(dir, path, after)),
    after: before && !isSubmodule(before) ? before : null,
  }
  try {
    if (change.after) await tree.stage(change.after, () => objects.blob(change.after?.oid ?? ''))
    // A discard before this one may have been killed in between.
    tree.restore()
    const inTheWay = tree.change([change], { resumed: false })
    tree.keepLateEdits([change])
    return inTheWay === null
  } finally {
    rmSync(stagingDir, { recursive: true, force: true })
  }
}

/** Git may store other line ends than the file has. */
async function asOnDisk(dir: string, path: string, entry: Entry): Promise<Entry> {
  if (!(await workTreeSettings(dir)).autoCrlf) return entry
  return { ...entry, oid: blobId(await contentAt(dir, path, { autoCrlf: false })) }
}
