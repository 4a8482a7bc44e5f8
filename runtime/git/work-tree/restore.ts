import fs from 'node:fs'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { atomicFs } from '../objects/atomic-fs.ts'
import { openObjects } from '../objects/objects.ts'
import { changesBetween, dropModuleFolders, fileChanges, makeModuleFolders } from './checkout.ts'
import { openWorkTree } from './work-tree.ts'

/**
 * Makes the files those of a commit, all or none of them, and leaves index and branch as they are. All that is there
 * must have been committed. Returns the path where something else stands, which nothing is written over; else null.
 */
export async function restoreFiles(dir: string, commit: string): Promise<string | null> {
  const head = await git.resolveRef({ fs: atomicFs, dir, ref: 'HEAD' })
  const all = await changesBetween(dir, head, commit)
  const changes = fileChanges(all)
  const objects = openObjects(dir)
  const stagingDir = join(dir, '.git/longhouse-restore')
  const tree = openWorkTree(dir, stagingDir)
  try {
    for (const { before, after } of changes) {
      for (const entry of [before, after]) if (entry) await tree.stage(entry, () => objects.blob(entry.oid))
    }
    // A kill may have come in between, the last time.
    tree.restore()
    dropModuleFolders(dir, all)
    try {
      const inTheWay = tree.change(changes, { resumed: true })
      if (inTheWay === null) makeModuleFolders(dir, all)
      return inTheWay
    } catch (error) {
      tree.restore()
      tree.change(
        changes.map(({ path, before, after }) => ({ path, before: after, after: before })).reverse(),
        { resumed: true },
      )
      throw error
    } finally {
      tree.keepLateEdits(changes)
    }
  } finally {
    fs.rmSync(stagingDir, { recursive: true, force: true })
  }
}
