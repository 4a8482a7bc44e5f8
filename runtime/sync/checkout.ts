import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import git from 'isomorphic-git'
import { atomicFs, writeWhole } from './atomic-fs.ts'
import { journalPath } from './journal.ts'
import type { CheckedOut } from './protocol.ts'
import { type Entry, type Files, parents, readFiles, sameEntry } from './trees.ts'
import { type Change, fileAt, openWorkTree } from './work-tree.ts'

/** What says, after a kill, that a checkout was going on. */
interface Journal {
  pid: number
  branch: string
  from: string
  to: string
}

const lockWords = 'longhouse sync\n'

/**
 * Takes files, index and branch from one commit to another, or changes nothing. What somebody edits meanwhile is
 * never written over. Holds git's own lock, so that no other git program works on the index at the same time.
 */
export async function checkout(
  dir: string,
  { branch, from, to }: { branch: string; from: string; to: string },
): Promise<CheckedOut> {
  const refuse = (refused: string, stale = false): CheckedOut => ({ done: false, refused, stale })
  if (fs.existsSync(journalPath(dir))) await recoverCheckout(dir)
  if ((await headOf(dir, branch)) !== from) return refuse('the jobs repo was committed to meanwhile', true)
  if (fs.existsSync(join(dir, '.git/MERGE_HEAD'))) return refuse('a merge is in progress in the jobs repo')
  if ((await git.currentBranch({ fs: atomicFs, dir })) !== branch) {
    return refuse(`the jobs repo is not on ${branch}`)
  }
  const changes = await changesBetween(dir, from, to)
  const staged = await stagedAmong(dir, changes)
  if (staged) return refuse(editedWords(staged))
  if (!lockIndex(dir)) return refuse('another git program is at work in the jobs repo')
  writeWhole(journalPath(dir), JSON.stringify({ pid: process.pid, branch, from, to } satisfies Journal))
  return finish(dir, { branch, from, to }, changes, { resumed: false })
}

/** Takes a checkout that was killed to its end, or back to its beginning where somebody has edited since. */
export async function recoverCheckout(dir: string): Promise<void> {
  const journal = readJournal(dir)
  if (!journal) return
  await endOf(journal.pid)
  const head = await headOf(dir, journal.branch)
  if (head !== journal.from) {
    // It had reached its end, or somebody has moved the branch by hand since.
    const changes = head === journal.to ? await changesBetween(dir, journal.from, journal.to) : []
    await recordInIndex(dir, changes, journal.to)
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
  const tree = openWorkTree(dir, join(dir, '.git/longhouse-sync'))
  for (const { before, after } of changes) {
    for (const entry of [before, after]) if (entry) await tree.prepare(entry, () => contentOf(dir, entry))
  }
  tree.restore()
  const inTheWay = tree.change(changes, { resumed })
  if (inTheWay) {
    const back = changes.map(({ path, before, after }) => ({ path, before: after, after: before }))
    if (resumed) await recordInIndex(dir, back, from)
    tree.rescue(changes)
    tidyUp(dir)
    return { done: false, refused: editedWords(inTheWay), stale: false }
  }
  await recordInIndex(dir, changes, to)
  if ((await headOf(dir, branch)) === from) {
    await git.writeRef({ fs: atomicFs, dir, ref: `refs/heads/${branch}`, value: to, force: true })
  }
  tree.rescue(changes)
  tidyUp(dir)
  return { done: true }
}

const editedWords = (path: string) =>
  `${path} is changed here and not committed, because it does not load or git ignores it; it stays, and what the remote has of it waits`

async function headOf(dir: string, branch: string): Promise<string | null> {
  return git.resolveRef({ fs: atomicFs, dir, ref: `refs/heads/${branch}` }).catch(() => null)
}

/** In the order in which they can be made. */
export async function changesBetween(dir: string, from: string, to: string): Promise<Change[]> {
  const [before, after] = [await readFiles(dir, from), await readFiles(dir, to)]
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(path =>
    isOurs(path, before, after),
  )
  const changes = changed.map(path => ({
    path,
    before: before.get(path) ?? null,
    after: after.get(path) ?? null,
  }))
  // What goes makes room first: a folder may come where a file was.
  return changes.sort((a, b) => Number(a.after !== null) - Number(b.after !== null))
}

function isOurs(path: string, before: Files, after: Files): boolean {
  const [b, a] = [before.get(path), after.get(path)]
  if (sameEntry(b, a) || [b, a].some(entry => entry?.mode === '160000')) return false
  // Packages are installed, not checked out; commits leave them out in the same way.
  return !path.split('/').includes('node_modules')
}

/** A file among these for which somebody has put something into the index that is in no commit. */
async function stagedAmong(dir: string, changes: readonly Change[]): Promise<string | null> {
  const paths = new Map(changes.map(({ path, before }) => [path, before]))
  const folders = new Set(changes.flatMap(({ path }) => parents(path)))
  const found = (await git.walk({
    fs: atomicFs,
    dir,
    trees: [git.STAGE()],
    map: async (path, [entry]) => {
      if (path === '.' || folders.has(path)) return undefined
      const before = paths.get(path)
      if (before === undefined) return null
      return entry && (await entry.oid()) !== before?.oid ? path : undefined
    },
    reduce: async (parent, children) => [parent, ...children.flat()].filter(Boolean),
  })) as string[] | undefined
  return found?.[0] ?? null
}

async function recordInIndex(dir: string, changes: readonly Change[], commit: string): Promise<void> {
  const cache = {}
  for (const { path: filepath, after } of changes) {
    const place = { fs: atomicFs, dir, filepath, cache }
    if (after === null) await git.updateIndex({ ...place, remove: true, force: true })
    // isomorphic-git would take a link for a file.
    else if (after.mode === '120000') await git.add({ ...place, force: true })
    else await git.resetIndex({ ...place, ref: commit })
  }
}

export async function contentOf(dir: string, entry: Entry): Promise<Uint8Array> {
  return (await git.readBlob({ fs: atomicFs, dir, oid: entry.oid })).blob
}

function lockIndex(dir: string): boolean {
  try {
    fs.writeFileSync(join(dir, '.git/index.lock'), lockWords, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The journal goes last but for the lock that it explains: without it, nobody would take that away. */
function tidyUp(dir: string): void {
  const lock = join(dir, '.git/index.lock')
  if (fileAt(lock) === lockWords) fs.rmSync(lock, { force: true })
  fs.rmSync(join(dir, '.git/longhouse-sync'), { recursive: true, force: true })
}

function readJournal(dir: string): Journal | null {
  const text = fileAt(journalPath(dir))
  if (text !== null) return JSON.parse(text) as Journal
  // Killed between the lock and the journal.
  if (fileAt(join(dir, '.git/index.lock')) === lockWords) tidyUp(dir)
  return null
}

/** Whoever was killed may be about to end still. */
async function endOf(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (pid !== process.pid && isSyncProgram(pid) && performance.now() < deadline) await wait(20)
}

function isSyncProgram(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sync')
  } catch {
    return false
  }
}
