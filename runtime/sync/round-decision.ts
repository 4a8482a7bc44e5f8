import { type Backoff, pauseMs } from '../../src/backoff.ts'
import type { Author } from '../git/authors.ts'
import type { Plan, Side } from '../git/merge/sync-protocol.ts'
import type { RemoteState } from './contract.ts'

/** A person's decision in advance: to take a held change, or which side of a conflict to keep. */
export interface Choice {
  /** The held commit of the remote. */
  confirm?: string
  /** `theirs` is the remote's commit that was shown. */
  pick?: { side: Side; theirs: string }
  by?: Author
}

/** What a sync does about a plan: leave a conflict to a person, or take the target and push it, as far as needed. */
export type SyncStep = { conflict: true } | { conflict: false; take: boolean; check: boolean; push: boolean }

/**
 * Decides what to do about a plan. `head` is the remote's commit; null while its branch is missing. With `check`, the
 * change is checked before it is taken: only replaced starter files and a confirmed change are taken unchecked.
 */
export function stepFor(
  { kind, ours, target, adopts }: Pick<Plan, 'kind' | 'ours' | 'target' | 'adopts'>,
  head: string | null,
  { confirm }: Choice,
): SyncStep {
  if (kind === 'conflict' || kind === 'rewritten') return { conflict: true }
  const take = target !== ours
  return { conflict: false, take, check: take && !adopts && confirm !== head, push: target !== head }
}

/** Returns the side to keep for conflicting files: the choice for this commit of the remote, if there is one. */
export function sideFor(
  { pick, confirm }: Choice,
  head: string | null,
  held: RemoteState['held'],
): Side | null {
  if (pick && pick.theirs === head) return pick.side
  // A choice made before the change was held back counts when that change is confirmed.
  return held && confirm === head && held.theirs === head ? held.pick : null
}

/** Returns the jobs that a change removes, if they are more than half of the live ones. */
export function tooManyRemoved(
  live: readonly string[],
  after: readonly string[],
): { removes: string[]; of: number } | null {
  const removes = live.filter(id => !after.includes(id))
  return removes.length * 2 > live.length ? { removes, of: live.length } : null
}

/** Explains why a remote without the branch cannot be synced; null for an empty one that was never synced. */
export function missingBranchFault(
  { branch, last }: Pick<RemoteState, 'branch' | 'last'>,
  branches: readonly string[],
): string | null {
  if (last !== null)
    return `the branch ${branch} is gone from the remote; nothing is sent until it is back, or another one is connected`
  return branches.length > 0
    ? `the remote has no branch ${branch}; it has ${branches.slice(0, 10).join(', ')}`
    : null
}

/** The interval of syncs without failures. */
const pollMs = 5 * 60_000
const backoff: Backoff = { firstMs: 30_000, mostMs: 60 * 60_000 }

/** Milliseconds until the next sync after this many failures in a row. */
export function nextSyncMs(failures: number): number {
  return failures === 0 ? pollMs : pauseMs(failures, backoff)
}
