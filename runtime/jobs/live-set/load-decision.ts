import type { ReadManifest } from '../../manifest/read-manifest.ts'
import type { LiveSet } from './live-set.ts'
import type { LoadState } from './load-state.ts'
import { type Tree, touchesCode } from './tree.ts'

/** What to do about the files: nothing, commit data, keep the live set that was made of them, or read them. */
export type LoadStep = 'nothing' | 'commit-data' | 'keep' | 'read'

/** What is known before the files are read. What takes a look at the disk is a function, called only when it matters. */
export interface LoadFacts {
  /** Whether to read the files even if nothing seems to have changed. */
  again: boolean
  tree: Tree
  /** The stamp of the tree with the version of the program that reads it. */
  stamp: string
  live: LiveSet | null
  hasBuild(build: string): boolean
  packagesMissing(): boolean
}

/**
 * Decides what the files need:
 *
 * 1. Nothing, if they are the ones that were loaded and committed, or refused, last time.
 * 2. A commit, if only data changed: no file that was compiled, nor any that could take the place of one.
 * 3. Nothing but the note that they are live, if a runtime before this one made the live set of exactly these files.
 * 4. Else they are read.
 */
export function loadStep(state: LoadState, { again, tree, stamp, live, ...disk }: LoadFacts): LoadStep {
  if (again) return 'read'
  const { status, seen, compiled } = state
  if (tree.stamp === seen?.stamp && (status === 'error' || live?.commit)) return 'nothing'
  if (live && seen && compiled && status === 'ok' && !touchesCode(seen, tree, compiled)) return 'commit-data'
  const made = live?.tree === stamp && live.commit !== null && disk.hasBuild(live.build)
  return made && !disk.packagesMissing() ? 'keep' : 'read'
}

/** Whether a set of jobs waits until a person confirms it: it is empty, and the live one is not. */
export function needsConfirmation(
  { confirmed }: LoadState,
  live: LiveSet | null,
  { build, jobs }: Pick<ReadManifest, 'build' | 'jobs'>,
): boolean {
  return live !== null && live.jobs.size > 0 && jobs.length === 0 && confirmed !== build
}

/** Changes of files that are not code are committed this often. */
export const dataCommitEveryMs = 60_000

/**
 * Whether data may be committed now. A job that writes into its own repo must not make a commit every second; but what
 * was in the way of an earlier commit may be gone.
 */
export function dataCommitDue(live: Pick<LiveSet, 'commit'>, sinceLastMs: number): boolean {
  return live.commit === null || sinceLastMs >= dataCommitEveryMs
}

/** Whether a compiled file changed while it was read, or before it was staged. */
export function changedMeanwhile(
  { inputs }: Pick<ReadManifest, 'inputs'>,
  before: Tree,
  after: Tree,
): boolean {
  return inputs.some(file => before.files.get(file) !== after.files.get(file))
}
