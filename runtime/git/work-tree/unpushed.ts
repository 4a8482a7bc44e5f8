import type { Objects } from '../objects/objects.ts'
import type { Unpushed } from './protocol.ts'

/** Counting stops here, because a larger number helps no one. */
const counted = 1000
const named = 20
/** Clocks differ: this many more commits of the remote are read before a result is final, as in git. */
const slop = 5

interface Reached {
  oid: string
  parents: readonly string[]
  at: number
  message: string
  author: string
}

/**
 * Returns the commits of `head` that are not in `synced`, newest first. Walks both by time, so that only commits
 * between them are read.
 */
export async function unpushedSince(
  objects: Pick<Objects, 'commit'>,
  head: string | null,
  synced: string | null,
): Promise<Unpushed> {
  if (head === null || head === synced) return { count: 0, commits: [] }
  const theirs = new Set<string>()
  const read = new Map<string, Reached>()
  const waiting: Reached[] = []

  const reach = async (oid: string): Promise<void> => {
    // A shallow clone ends somewhere, and a remote’s commit that is not fetched yet has no parents here.
    const commit = read.has(oid) ? null : await objects.commit(oid).catch(() => null)
    if (!commit) return
    const { parent, committer, message, author } = commit
    const found = { oid, parents: parent, at: committer.timestamp * 1000, message, author: author.name }
    read.set(oid, found)
    const later = waiting.findIndex(({ at }) => at < found.at)
    waiting.splice(later < 0 ? waiting.length : later, 0, found)
  }
  /** Marks a commit and, as far as they were read, its ancestors, even those counted as ours before. */
  const mark = (oid: string): void => {
    const below = [oid]
    for (let each = below.pop(); each !== undefined; each = below.pop()) {
      if (theirs.has(each)) continue
      theirs.add(each)
      below.push(...(read.get(each)?.parents ?? []))
    }
  }

  if (synced !== null) {
    mark(synced)
    await reach(synced)
  }
  await reach(head)
  const ours: Reached[] = []
  let late = 0
  for (let next = waiting.shift(); next !== undefined && ours.length < counted; next = waiting.shift()) {
    const isTheirs = theirs.has(next.oid)
    if (isTheirs) next.parents.forEach(mark)
    else ours.push(next)
    late = isTheirs && waiting.every(({ oid }) => theirs.has(oid)) ? late + 1 : 0
    if (late > slop) break
    for (const parent of next.parents) await reach(parent)
  }
  const only = ours.filter(({ oid }) => !theirs.has(oid))
  return {
    count: only.length,
    commits: only.slice(0, named).map(({ oid, message, at, author }) => ({
      commit: oid,
      message: message.split('\n')[0] ?? '',
      at,
      author,
    })),
  }
}
