// The only program that uses isomorphic-git, which takes 20 MiB once loaded and hashes on its own thread. It starts
// with the first request and ends when it is idle.
import { join } from 'node:path'
import git from 'isomorphic-git'
import { serial } from '../../src/concurrency.ts'
import { readRegular } from '../../src/storage/regular-file.ts'
import { carefulFs as fs } from '../git/objects/careful-fs.ts'
import { correctConfig } from '../git/objects/git-config.ts'
import { readIndex } from '../git/objects/index-file.ts'
import type { Objects } from '../git/objects/objects.ts'
import { starterFilesAs } from '../git/starter-files.ts'
import {
  commitStaged,
  type Staged,
  stageCommit,
  stageFiles,
  stageFirst,
  standing,
  unfinishedWork,
} from '../git/work-tree/commit.ts'
import type { GitAnswer, GitRequest, GitState, KnownRemote } from '../git/work-tree/protocol.ts'
import { tooMuchIn } from '../git/work-tree/too-much.ts'
import { unpushedSince } from '../git/work-tree/unpushed.ts'
import { scanWorkTree } from '../git/work-tree/work-tree-scan.ts'

const inOrder = serial()

process.on('message', (request: GitRequest) => {
  void inOrder(async () => {
    const answer = await answerTo(request)
    if (process.connected) process.send?.(answer)
  })
})
process.once('disconnect', () => void inOrder(async () => process.exit(0)))

async function answerTo(request: GitRequest): Promise<GitAnswer> {
  const { id, dir } = request
  try {
    switch (request.op) {
      case 'init':
        await init(dir, request.starter)
        return { id, ok: { ...unread, refused: null } }
      case 'status':
        return { id, ok: { ...(await state(dir, request.remote)), refused: null } }
      case 'stage':
        return { id, ok: { ...unread, refused: await stage(dir, request.like ?? null) } }
      case 'commit': {
        const { subject, note, authors } = request
        if (staged === undefined) throw new Error('what was staged is gone; stage it again')
        if (staged) await commitStaged(dir, staged, { subject, note, authors })
        staged = undefined
        const { parent, objects } = await standing(dir)
        return { id, ok: { ...unread, head: await headInfo(objects, parent), refused: null } }
      }
    }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

/** A commit is urgent, and does not need the state of the files. */
const unread: Omit<GitState, 'refused'> = {
  branch: null,
  head: null,
  dirty: [],
  remote: null,
  obstacle: null,
  notFetched: [],
  notCommitted: [],
  unpushed: { count: 0, commits: [] },
}
/** Null if there is nothing to commit; undefined if nothing was staged in this process. */
let staged: Staged | null | undefined

/** A person may edit at once: their changes are a separate commit. */
async function init(dir: string, starter: boolean): Promise<void> {
  await git.init({ fs, dir, defaultBranch: 'main' })
  correctConfig(dir)
  if (!starter) return
  const first = (await stageFirst(dir, starterFilesAs(readRegular(join(dir, 'package.json'), 64 * 1024))))
    .staged
  if (first) await commitStaged(dir, first, { subject: 'Begin with the starter jobs' })
}

/** Returns why not, when there is too much, or an unfinished operation of git is in the way. */
async function stage(dir: string, like: string | null): Promise<string | null> {
  staged = undefined
  const tooMuch = like === null ? await tooMuchIn(dir) : null
  if (tooMuch) return tooMuch
  const taken = await (like === null ? stageFiles(dir) : stageCommit(dir, like))
  staged = taken.staged
  return taken.refused
}

const mostNamed = 100

async function state(dir: string, remote: KnownRemote | null): Promise<Omit<GitState, 'refused'>> {
  const { branch, parent, objects, tree } = await standing(dir)
  const tooMuch = await tooMuchIn(dir)
  const index = readIndex(dir)
  const none = { changes: [], notFetched: [], notCommitted: [] }
  const scan = tooMuch ? none : await scanWorkTree({ dir, objects, tree, index })
  const dirty = scan.changes.map(({ path }) => path)
  return {
    branch,
    head: await headInfo(objects, parent),
    dirty,
    obstacle: tooMuch ?? (dirty.length > 0 ? unfinishedWork(dir, branch, index.entries) : null),
    remote: await remoteOf(dir, branch),
    notFetched: scan.notFetched.slice(0, mostNamed),
    notCommitted: scan.notCommitted.slice(0, mostNamed),
    unpushed: remote ? await unpushedSince(objects, parent, remote.synced) : unread.unpushed,
  }
}

async function headInfo(objects: Objects, commit: string | null): Promise<GitState['head']> {
  if (commit === null) return null
  const { message, committer } = await objects.commit(commit)
  return { commit, message: message.trim(), at: committer.timestamp * 1000 }
}

async function remoteOf(dir: string, branch: string | null): Promise<GitState['remote']> {
  const remotes = await git.listRemotes({ fs, dir })
  const remote = remotes.find(each => each.remote === 'origin') ?? remotes[0]
  if (!remote) return null
  const merge: unknown = branch && (await git.getConfig({ fs, dir, path: `branch.${branch}.merge` }))
  return {
    url: withoutCredentials(remote.url),
    branch: typeof merge === 'string' ? merge.replace('refs/heads/', '') : null,
  }
}

function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  if (!parsed.password && !/^https?:$/.test(parsed.protocol)) return url
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}
