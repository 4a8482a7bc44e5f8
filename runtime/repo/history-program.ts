// A separate program for the same reason as git's: it reads the history of the jobs repo, answers one request, and
// ends.
import git, { type ReadCommitResult, type WalkerEntry } from 'isomorphic-git'
import { longhouse, sameAuthor } from '../git/authors.ts'
import { carefulFs as fs } from '../git/objects/careful-fs.ts'
import { isFolder, isLink, isSubmodule, openObjects } from '../git/objects/objects.ts'
import { discardEdit, uncommittedIn } from '../git/work-tree/discard.ts'
import { restoreFiles } from '../git/work-tree/restore.ts'
import { contentAt, workTreeSettings } from '../git/work-tree/work-tree-scan.ts'
import {
  type CommitDetails,
  type CommitInfo,
  type HistoryAnswers,
  largestCommittedBytes,
} from './contract.ts'
import { diffFiles } from './file-diffs.ts'
import type { HistoryAnswer, HistoryRequest } from './history-protocol.ts'

process.once('message', (request: HistoryRequest) => {
  void answerTo(request).then(answer => process.send?.(answer, () => process.exit(0)))
})
process.once('disconnect', () => process.exit(0))

async function answerTo(request: HistoryRequest): Promise<HistoryAnswer> {
  try {
    if (request.op === 'list') return { ok: await list(request.dir, request.limit, request.before) }
    if (request.op === 'show') return { ok: await show(request.dir, request.commit) }
    if (request.op === 'file') return { ok: await fileOf(request.dir, request.commit, request.path) }
    if (request.op === 'uncommitted') return { ok: await uncommitted(request.dir) }
    if (request.op === 'discard') return { ok: await discardEdit(request.dir, request.path, request.hash) }
    return { ok: await restore(request.dir, request.commit) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

async function list(dir: string, limit: number, before: string | null): Promise<HistoryAnswers['list']> {
  const start = before === null ? 'HEAD' : (await find(dir, before))?.commit.parent[0]
  if (!start) return { commits: [], more: false }
  const found = await git.log({ fs, dir, ref: start, depth: limit + 1 }).catch(error => {
    // A repo without commits has no HEAD yet.
    if (before === null && error instanceof git.Errors.NotFoundError) return []
    throw error
  })
  return { commits: found.slice(0, limit).map(infoOf), more: found.length > limit }
}

async function find(dir: string, commit: string): Promise<ReadCommitResult | null> {
  try {
    return await git.readCommit({ fs, dir, oid: commit })
  } catch (error) {
    if (error instanceof git.Errors.NotFoundError || error instanceof git.Errors.ObjectTypeError) return null
    throw error
  }
}

function infoOf({ oid, commit }: ReadCommitResult): CommitInfo {
  const { message, committer, author } = commit
  return {
    commit: oid,
    message: message.trim(),
    at: committer.timestamp * 1000,
    author: author.name,
    authorEmail: author.email,
    madeHere: sameAuthor(committer, longhouse),
  }
}

async function show(dir: string, commit: string): Promise<CommitDetails | null> {
  const found = await find(dir, commit)
  if (!found) return null
  const [parent] = found.commit.parent
  const changed = await changedFiles(dir, parent ?? null, found.oid)
  const read = (oid: string | null) =>
    oid === null ? null : async () => (await git.readBlob({ fs, dir, oid })).blob
  const { files, more } = await diffFiles(
    changed.map(({ path, before, after }) => ({ path, before: read(before), after: read(after) })),
  )
  return { ...infoOf(found), files: files.map(({ of: _, ...file }) => file), more }
}

interface Pair {
  path: string
  before: string | null
  after: string | null
}

async function changedFiles(dir: string, before: string | null, after: string): Promise<Pair[]> {
  const trees = [...(before === null ? [] : [git.TREE({ ref: before })]), git.TREE({ ref: after })]
  const pairs = (await git.walk({
    fs,
    dir,
    trees,
    map: async (path, entries) => {
      const [old, fresh] = before === null ? [null, entries[0]] : entries
      const [oldOid, freshOid] = [(await old?.oid()) ?? null, (await fresh?.oid()) ?? null]
      // A folder with the same name and content is skipped.
      if (oldOid === freshOid) return null
      const isFile = async (entry: WalkerEntry | null | undefined) => (await entry?.type()) === 'blob'
      const [was, is] = [await isFile(old), await isFile(fresh)]
      return was || is ? { path, before: was ? oldOid : null, after: is ? freshOid : null } : undefined
    },
    reduce: async (parent, children: (Pair | Pair[])[]) => [...(parent ? [parent] : []), ...children.flat()],
  })) as Pair[] | undefined
  return (pairs ?? []).filter(pair => pair.path !== '.')
}

async function fileOf(dir: string, commit: string, path: string): Promise<HistoryAnswers['file']> {
  const found = await find(dir, commit)
  if (!found) return null
  const objects = openObjects(dir)
  let folder = found.commit.tree
  const names = path.split('/')
  const last = names.pop()
  for (const name of names) {
    const below = (await objects.tree(folder)).find(item => item.name === name && isFolder(item))
    if (!below) return null
    folder = below.oid
  }
  const item = (await objects.tree(folder)).find(({ name }) => name === last)
  if (!item || isFolder(item) || isSubmodule(item)) return null
  const blob = await objects.blob(item.oid)
  const content = blob.byteLength > largestCommittedBytes ? null : Buffer.from(blob).toString('base64')
  return { sizeBytes: blob.byteLength, link: isLink(item), content }
}

async function uncommitted(dir: string): Promise<HistoryAnswers['uncommitted']> {
  const found = await uncommittedIn(dir)
  if ('obstacle' in found) return { files: [], more: false, obstacle: found.obstacle }
  const objects = openObjects(dir)
  const settings = await workTreeSettings(dir)
  const { files, more } = await diffFiles(
    found.changes.map(({ path, before, after }) => ({
      path,
      hash: after?.oid ?? null,
      before: before && !isSubmodule(before) ? async () => objects.blob(before.oid) : null,
      after: after && (() => contentAt(dir, path, settings)),
    })),
  )
  return { files: files.map(({ of: { hash }, ...file }) => ({ ...file, hash })), more, obstacle: null }
}

async function restore(dir: string, commit: string): Promise<HistoryAnswers['restore']> {
  if (!(await find(dir, commit))) return { found: false, inTheWay: null }
  return { found: true, inTheWay: await restoreFiles(dir, commit) }
}
