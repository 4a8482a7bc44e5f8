import git from 'isomorphic-git'
import { carefulFs as fs } from './careful-fs.ts'
import type { Unpushed } from './protocol.ts'

/** Counting further tells nobody more. */
const counted = 1000
const named = 20

/** The commits of `head` that are not in `synced`, newest first. */
export async function unpushedSince(
  dir: string,
  head: string | null,
  synced: string | null,
): Promise<Unpushed> {
  if (head === null || head === synced) return { count: 0, commits: [] }
  const log = await git.log({ fs, dir, ref: head, depth: counted })
  const known = new Set<string>()
  if (synced !== null) {
    // A remote's commit that is not here yet tells nothing.
    const theirs = await git.log({ fs, dir, ref: synced, depth: counted }).catch(() => [])
    for (const { oid } of theirs) known.add(oid)
  }
  const only = log.filter(({ oid }) => !known.has(oid))
  return {
    count: only.length,
    commits: only.slice(0, named).map(({ oid, commit }) => ({
      commit: oid,
      message: commit.message.split('\n')[0] ?? '',
      at: commit.committer.timestamp * 1000,
      author: commit.author.name,
    })),
  }
}
