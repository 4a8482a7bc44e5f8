import git from 'isomorphic-git'
import { type Author, longhouse } from '../git/authors.ts'
import { atomicFs as fs } from '../git/objects/atomic-fs.ts'

/** Counting stops here: a larger number helps no one. */
const countedCommits = 1000

/** Makes a commit outside any branch. `by` is the person who chose what is in it; null means Longhouse. */
export async function makeCommit(
  dir: string,
  { tree, parents, message, by }: { tree: string; parents: string[]; message: string; by: Author | null },
): Promise<string> {
  const at = { timestamp: Math.floor(Date.now() / 1000), timezoneOffset: 0 }
  const author = { ...(by ?? longhouse), ...at }
  const committer = { ...longhouse, ...at }
  return git.writeCommit({ fs, dir, commit: { tree, parent: parents, author, committer, message } })
}

export async function treeOf(dir: string, commit: string): Promise<string> {
  return (await git.readCommit({ fs, dir, oid: commit })).commit.tree
}

export async function contains(dir: string, commit: string, ancestor: string): Promise<boolean> {
  if (commit === ancestor) return true
  return git.isDescendent({ fs, dir, oid: commit, ancestor, depth: -1 })
}

/** Returns the newest commit that both have, or any one of several; null when there is none. */
export async function commonBase(dir: string, a: string, b: string): Promise<string | null> {
  const [base] = (await git.findMergeBase({ fs, dir, oids: [a, b] })) as string[]
  return base ?? null
}

/** Returns how many commits each side has that the other does not. */
export async function difference(dir: string, a: string, b: string): Promise<[number, number]> {
  if (a === b) return [0, 0]
  const [ofA, ofB] = [await ancestors(dir, a), await ancestors(dir, b)]
  return [[...ofA].filter(oid => !ofB.has(oid)).length, [...ofB].filter(oid => !ofA.has(oid)).length]
}

async function ancestors(dir: string, commit: string): Promise<Set<string>> {
  const log = await git.log({ fs, dir, ref: commit, depth: countedCommits })
  return new Set(log.map(({ oid }) => oid))
}
