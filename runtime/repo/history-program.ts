// A separate program for the same reason as git's: it reads the history of the jobs repo, answers one request, and
// ends.
import git, { type ReadCommitResult, type WalkerEntry } from 'isomorphic-git'
import { longhouse, sameAuthor } from '../git/authors.ts'
import { carefulFs as fs } from '../git/objects/careful-fs.ts'
import { isFolder, isLink, isSubmodule, openObjects } from '../git/objects/objects.ts'
import { restoreFiles } from '../git/work-tree/restore.ts'
import {
  type CommitDetails,
  type CommitInfo,
  type FileChange,
  type HistoryAnswers,
  largestCommittedBytes,
} from './contract.ts'
import type { HistoryAnswer, HistoryRequest } from './history-protocol.ts'
import { diffLines } from './line-diff.ts'

const mostFiles = 200
const mostLines = 5000
const largestFileBytes = 512 * 1024

process.once('message', (request: HistoryRequest) => {
  void answerTo(request).then(answer => process.send?.(answer, () => process.exit(0)))
})
process.once('disconnect', () => process.exit(0))

async function answerTo(request: HistoryRequest): Promise<HistoryAnswer> {
  try {
    if (request.op === 'list') return { ok: await list(request.dir, request.limit, request.before) }
    if (request.op === 'show') return { ok: await show(request.dir, request.commit) }
    if (request.op === 'file') return { ok: await fileOf(request.dir, request.commit, request.path) }
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
  let lines = 0
  const files: FileChange[] = []
  for (const { path, before, after } of changed.slice(0, mostFiles)) {
    const kind = before === null ? 'added' : after === null ? 'removed' : 'changed'
    const sides = await Promise.all([textOf(dir, before), textOf(dir, after)])
    const note =
      sides.find(side => 'note' in side)?.note ?? (lines > mostLines ? 'too much to show here' : null)
    const [old, fresh] = sides.map(side => side.text ?? '')
    const hunks = note === null ? diffLines(old ?? '', fresh ?? '') : []
    const count = hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)
    lines += count
    const cut = lines > mostLines && count > 0
    files.push({ path, kind, hunks: cut ? [] : hunks, note: cut ? 'too much to show here' : note })
  }
  return { ...infoOf(found), files, more: changed.length > mostFiles }
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

async function textOf(dir: string, oid: string | null): Promise<{ text?: string; note?: string }> {
  if (oid === null) return { text: '' }
  const { blob } = await git.readBlob({ fs, dir, oid })
  if (blob.byteLength > largestFileBytes) return { note: 'too large to show here' }
  if (blob.includes(0)) return { note: 'no text' }
  return { text: new TextDecoder().decode(blob) }
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

async function restore(dir: string, commit: string): Promise<HistoryAnswers['restore']> {
  if (!(await find(dir, commit))) return { found: false, inTheWay: null }
  return { found: true, inTheWay: await restoreFiles(dir, commit) }
}
