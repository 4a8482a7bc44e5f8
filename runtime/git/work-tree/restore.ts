import fs from 'node:fs'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { atomicFs } from '../objects/atomic-fs.ts'
import { openObjects } from '../objects/objects.ts'
import { changesBetween, dropModuleFolders, fileChanges, makeModuleFolders } from './checkout.ts'
import { WorkTree } from './work-tree.ts'

/**
 * Makes the files those of a commit, all or none of them; index and branch stay. All current files must be committed.
 * Returns the path of an unexpected file, which is not overwritten; null on success.
 */
export async function restoreFiles(dir: string, commit: string): Promise<string | null> {
  const head = await git.resolveRef({ fs: atomicFs, dir, ref: 'HEAD' })
  const all = await changesBetween(dir, head, commit)
  const changes = fileChanges(all)
  const objects = openObjects(dir)
  const stagingDir = join(dir, '.git/longhouse-restore')
  const tree = new WorkTree(dir, stagingDir)
  try {
    for (const { before, after } of changes) {
      for (const entry of [before, after]) if (entry) await tree.stage(entry, () => objects.blob(entry.oid))
    }
    // The previous restore may have been killed in between.
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
