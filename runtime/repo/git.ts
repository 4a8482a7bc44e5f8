// A program of its own: the only place that touches isomorphic-git, which weighs 20 MiB once loaded and hashes on the
// thread that it is on. It is started when there is something to do and ends when nobody asks any more.
import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { obstacleIn, repoBounds } from './bounds.ts'
import { carefulFs as fs } from './careful-fs.ts'
import { type Change, isStarter, messageOf } from './changes.ts'
import type { CommitWords, GitAnswer, GitRequest, GitState } from './protocol.ts'

const author = { name: 'Longhouse', email: 'longhouse@localhost' }
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

let queue = Promise.resolve()

process.on('message', (request: GitRequest) => {
  queue = queue.then(async () => {
    const answer = await answerTo(request)
    if (process.connected) process.send?.(answer)
  })
})
process.once('disconnect', () => void queue.then(() => process.exit(0)))

async function answerTo(request: GitRequest): Promise<GitAnswer> {
  const { id, op, dir } = request
  try {
    if (op === 'init') await git.init({ fs, dir, defaultBranch: 'main' })
    const refused = op === 'stage' ? await stage(dir) : null
    if (op === 'commit') await commit(dir, request)
    if (op === 'stage') return { id, ok: { ...unread, refused } }
    if (op === 'commit') return { id, ok: { ...unread, head: await headOf(dir), refused } }
    return { id, ok: { ...(await state(dir)), refused } }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

/** Whoever commits has no time to lose, and does not ask what the files are like. */
const unread = { branch: null, head: null, dirty: [], remote: null, obstacle: null }
let staged: Change[] = []

const addedAtOnce = 100

/** Returns why not, when there is too much, or somebody else's unfinished work is in the way. */
async function stage(dir: string): Promise<string | null> {
  staged = []
  const tooMuch = await tooMuchIn(dir)
  if (tooMuch) return tooMuch
  const changes = await changesIn(dir)
  if (changes.length === 0) return null
  const obstacle = await unfinishedWork(dir)
  if (obstacle) return obstacle
  const gone = changes.filter(change => change.kind === 'Remove')
  const there = changes.filter(change => change.kind !== 'Remove').map(change => change.file)
  const size = there.reduce(
    (sum, file) => sum + (lstatSync(join(dir, file), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
  if (size > repoBounds.bytes) return `a commit of ${Math.round(size / 1024 / 1024)} MiB is too large`
  // All of them at once took 2.3 GB for ten thousand small files: each is deflated in a buffer of its own.
  const cache = {}
  for (let from = 0; from < there.length; from += addedAtOnce) {
    await git.add({ fs, dir, cache, filepath: there.slice(from, from + addedAtOnce) })
  }
  for (const { file } of gone) await git.remove({ fs, dir, cache, filepath: file })
  staged = changes
  return null
}

async function unfinishedWork(dir: string): Promise<string | null> {
  if (!(await git.currentBranch({ fs, dir })))
    return 'the jobs repo is on no branch (detached HEAD); go back to one, as with git switch main'
  if (existsSync(join(dir, '.git/MERGE_HEAD')))
    return 'a merge is in progress in the jobs repo; finish it with git commit, or leave it with git merge --abort'
  if (existsSync(join(dir, '.git/index.lock')))
    return 'another git program is at work in the jobs repo; when none is, remove .git/index.lock'
  return null
}

function tooMuchIn(dir: string): Promise<string | null> {
  return obstacleIn(dir, {
    isIgnored: filepath => git.isIgnored({ fs, dir, filepath }),
    tracked: () => git.listFiles({ fs, dir }),
  })
}

async function commit(dir: string, words: CommitWords): Promise<void> {
  const first = staged.length > 0 && (await git.log({ fs, dir, depth: 1 }).catch(() => [])).length === 0
  const subject = words.subject || (first && isStarter(staged) ? 'Begin with the starter jobs' : '')
  const message = messageOf(staged, { ...words, subject })
  if (staged.length > 0) await git.commit({ fs, dir, message, author, committer: author })
  staged = []
}

async function changesIn(dir: string): Promise<Change[]> {
  const head = await git.resolveRef({ fs, dir, ref: 'HEAD' }).catch(() => null)
  const rows = await git.statusMatrix({
    fs,
    dir,
    ref: head ?? emptyTree,
    // Those that somebody committed are not there to be seen, and not gone either.
    filter: file => !file.split('/').includes('node_modules'),
  })
  return rows
    .filter(([, inHead, inWorkdir, inStage]) => inHead !== inWorkdir || inWorkdir !== inStage)
    .map(([file, inHead, inWorkdir]) => ({
      file,
      kind: inWorkdir === 0 ? 'Remove' : inHead === 0 ? 'Add' : 'Update',
    }))
}

async function state(dir: string): Promise<Omit<GitState, 'refused'>> {
  const branch = (await git.currentBranch({ fs, dir })) ?? null
  const tooMuch = await tooMuchIn(dir)
  const dirty = tooMuch ? [] : (await changesIn(dir)).map(change => change.file)
  return {
    branch,
    head: await headOf(dir),
    dirty,
    obstacle: tooMuch ?? (dirty.length > 0 ? await unfinishedWork(dir) : null),
    remote: await remoteOf(dir, branch),
  }
}

async function headOf(dir: string): Promise<GitState['head']> {
  const [latest] = await git.log({ fs, dir, depth: 1 }).catch(() => [])
  if (!latest) return null
  const { message, committer } = latest.commit
  return { commit: latest.oid, message: message.trim(), at: committer.timestamp * 1000 }
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
