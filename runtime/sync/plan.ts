import git from 'isomorphic-git'
import type { ConflictFile, Plan, PlanRequest } from '../git/merge/sync-protocol.ts'
import { bothSides, mergeChanges } from '../git/merge/trees.ts'
import { atomicFs as fs } from '../git/objects/atomic-fs.ts'
import { blobId, openObjects } from '../git/objects/objects.ts'
import { changedPaths, listEntries, withChanges } from '../git/objects/tree-changes.ts'
import { starterFilesAs } from '../git/starter-files.ts'
import { commonBase, contains, difference, makeCommit, treeOf } from './history.ts'
import { RemoteFault } from './transport.ts'

/**
 * Plans the new state of both sides. Makes commits, but changes neither branches nor files:
 *
 * 1. The same head, or no branch on the remote yet: nothing to merge.
 * 2. The remote's history does not contain the last synced commit: a person picks a side (`rewritten`).
 * 3. One side contains the other: fast-forward.
 * 4. No common history, and only starter files here: take the remote's side.
 * 5. Otherwise merge. Where both changed the same place, a person picks a side.
 */
export async function makePlan(dir: string, request: PlanRequest): Promise<Plan> {
  const { theirs, last, pick } = request
  const ours = await headOf(dir, request.branch)
  const plan = async (kind: Plan['kind'], target: string, more: Partial<Plan> = {}): Promise<Plan> => {
    const [ahead, behind] = theirs ? await difference(dir, ours, theirs) : [1, 0]
    return { kind, ours, target, ahead, behind, adopts: false, files: [], ...more }
  }
  if (theirs === ours) return plan('same', ours)
  if (theirs === null) return plan('ahead', ours)
  const weHaveAll = await contains(dir, ours, theirs)
  if (last !== null && !(await contains(dir, theirs, last)) && !(weHaveAll && pick === 'ours')) {
    return rewritten(dir, ours, theirs, request, plan)
  }
  if (weHaveAll) return plan('ahead', ours)
  if (await contains(dir, theirs, ours)) return plan('behind', theirs)
  const base = await commonBase(dir, ours, theirs)
  if (base === null && (await holdsOnlyTemplate(dir, ours, request.template))) {
    return plan('behind', theirs, { adopts: true })
  }
  const { tree, conflicts } = await mergeTrees(dir, { base, ours, theirs, pick })
  if (conflicts.length > 0) return plan('conflict', ours, { files: conflicts })
  const target = await makeCommit(dir, {
    tree,
    parents: [ours, theirs],
    message: mergeMessage(request),
    by: request.by,
  })
  return plan('merged', target)
}

type Planner = (kind: Plan['kind'], target: string, more?: Partial<Plan>) => Promise<Plan>

/** The remote's branch was forced. Without a pick, both sides are shown; with one, that side is kept. */
async function rewritten(
  dir: string,
  ours: string,
  theirs: string,
  request: PlanRequest,
  plan: Planner,
): Promise<Plan> {
  const { last, pick, by } = request
  if (pick === 'ours') {
    const tree = await treeOf(dir, ours)
    const message = `Keep this instance's side of ${request.branch}`
    return plan('merged', await makeCommit(dir, { tree, parents: [ours, theirs], message, by }))
  }
  if (pick === 'theirs') {
    if (ours === last) return plan('merged', theirs)
    // Put our own edits since the last sync on top of the new history.
    const { tree } = await mergeTrees(dir, { base: last, ours, theirs, pick })
    if (tree === (await treeOf(dir, theirs))) return plan('merged', theirs)
    const message = 'Edits of this instance, on the rewritten history'
    return plan('merged', await makeCommit(dir, { tree, parents: [theirs], message, by }))
  }
  return plan('rewritten', ours, { files: await differingFiles(dir, ours, theirs) })
}

async function mergeTrees(
  dir: string,
  {
    base,
    ours,
    theirs,
    pick,
  }: { base: string | null; ours: string; theirs: string; pick: PlanRequest['pick'] },
): Promise<{ tree: string; conflicts: ConflictFile[] }> {
  const objects = openObjects(dir)
  const ourTree = (await objects.treeOf(ours)) as string
  const theirTree = (await objects.treeOf(theirs)) as string
  const { changes, conflicts } = await mergeChanges(objects, {
    base: await objects.treeOf(base),
    ours: ourTree,
    theirs: theirTree,
    pick,
  })
  const tree = (await withChanges(objects, ourTree, changes)) ?? objects.writeTree([])
  return { tree, conflicts }
}

async function differingFiles(dir: string, ours: string, theirs: string): Promise<ConflictFile[]> {
  const objects = openObjects(dir)
  const differing = await changedPaths(objects, await objects.treeOf(ours), await objects.treeOf(theirs))
  const sides: ConflictFile[] = []
  for (const [path, { before, after }] of differing) {
    sides.push(await bothSides(objects, path, before, after))
  }
  return sides
}

async function headOf(dir: string, branch: string): Promise<string> {
  const current = await git.currentBranch({ fs, dir })
  if (!current) throw new RemoteFault('the jobs repo is on no branch (detached HEAD); check one out')
  if (current !== branch) {
    throw new RemoteFault(
      `the jobs repo is on the branch ${current}, but ${branch} is synced; check it out, or connect again`,
    )
  }
  return git.resolveRef({ fs, dir, ref: `refs/heads/${branch}` }).catch(() => {
    throw new RemoteFault('the jobs repo has no commit yet; what is in it does not load')
  })
}

/** Whether every file is an unchanged starter file. */
async function holdsOnlyTemplate(dir: string, commit: string, template: string): Promise<boolean> {
  const objects = openObjects(dir)
  const files = await listEntries(objects, await objects.treeOf(commit))
  const manifest = files.find(([path]) => path === 'package.json')?.[1].oid
  const packageJson = manifest === undefined ? null : Buffer.from(await objects.blob(manifest))
  const starter = starterFilesAs(packageJson, template)
  const known = new Map([...starter].map(([path, content]) => [path, blobId(content)]))
  return files.every(([path, { oid }]) => known.get(path) === oid)
}

function mergeMessage({ branch, pick }: PlanRequest): string {
  const side = {
    ours: ', this instance’s side where both changed the same',
    theirs: ', the remote’s side where both changed the same',
  }
  return `Merge the remote's ${branch}${pick ? side[pick] : ''}`
}
