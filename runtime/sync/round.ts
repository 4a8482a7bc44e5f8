import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { builtRoot } from '../../src/root.ts'
import type { Plan, RemoteAddress, Side } from '../git/merge/sync-protocol.ts'
import type { Room } from '../volume/contract.ts'
import type { Remote, RemoteStore } from './remote.ts'
import { type Choice, missingBranchFault, sideFor, stepFor, tooManyRemoved } from './round-decision.ts'
import type { SyncProgram } from './sync-program.ts'

export interface RoundOptions {
  dir: string
  /** For the work tree in which a pull is checked first. */
  scratchDir: string
  store: RemoteStore
  room: Room
  clock: Clock
  /** The time limit of a request to the remote. */
  limitMs: number
  /** Commits what can be committed. */
  load(): Promise<unknown>
  /** Keeps loads and commits from running while files are written. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Ids of the live jobs. */
  liveJobs(): string[]
  /** Ids of the jobs that a folder registers, or null if it does not load. */
  readJobs(folder: string, scratch: string): Promise<string[] | null>
}

type Options = RoundOptions & { onTarget(commit: string): void }

/** How often a sync starts again because either side changed meanwhile. */
const attempts = 5

/**
 * Syncs both sides once, and stores the result:
 *
 * 1. Fetch the remote's branch. A branch that is missing but should not be is an error.
 * 2. Commit the edits of this instance.
 * 3. Plan the new state of both sides.
 * 4. If a person has to decide, push our side to a branch of its own, show both sides, and stop.
 * 5. If the change removes more than half of the live jobs, hold it until it is confirmed, and stop.
 * 6. Check out the target. If files changed meanwhile, start again.
 * 7. Push the target. If the remote moved meanwhile, start again. Never force.
 *
 * Rejects with the reason if that is impossible now.
 */
export async function syncRound(
  options: Options,
  program: SyncProgram,
  remote: Remote,
  choice: Choice,
): Promise<void> {
  const { store, limitMs } = options
  const token = store.token()
  if (token === null)
    throw new Error(
      'the token of the remote cannot be read, because this instance has a new key; connect again',
    )
  const address = { url: remote.url, username: remote.username, token, limitMs }
  options.room.require('Nothing was synced.')
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (await attemptSync(options, program, { remote, address, choice })) return
  }
  throw new Error('both sides changed again and again while they were synced')
}

/** Returns false to start again. */
async function attemptSync(
  options: Options,
  program: SyncProgram,
  { remote, address, choice }: { remote: Remote; address: RemoteAddress; choice: Choice },
): Promise<boolean> {
  const { store, clock } = options
  const { branch, localBranch } = remote
  const { head, branches } = await program.ask({ op: 'fetch', remote: address, branch })
  const fault = head === null ? missingBranchFault(remote, branches) : null
  if (fault) throw new Error(fault)
  await options.load()
  const pick = sideFor(choice, head, remote.held)
  const request = {
    branch: localBranch,
    theirs: head,
    last: remote.last,
    pick,
    by: choice.by ?? null,
    template: builtRoot('jobs-template'),
  }
  const plan = await program.ask({ op: 'plan', request })
  const step = stepFor(plan, head, choice)
  if (step.conflict) {
    await showConflict(options, program, address, remote, plan, head as string)
    return true
  }
  if (step.check && (await holdBack(options, program, plan, { theirs: head as string, pick }))) return true
  if (step.take && !(await takeTarget(options, program, plan, localBranch))) return false
  if (step.push) {
    const { pushed } = await program.ask({ op: 'push', remote: address, commit: plan.target, branch })
    if (!pushed) return false
  }
  store.update({ ...inSync, last: plan.target, lastSyncAt: clock.now() })
  return true
}

const inSync = { conflict: null, held: null, error: null, failures: 0, ahead: 0, behind: 0 }

/** Holds the change if it removes too many jobs; false if it does not. */
async function holdBack(
  options: Options,
  program: SyncProgram,
  plan: Plan,
  { theirs, pick }: { theirs: string; pick: Side | null },
): Promise<boolean> {
  const live = options.liveJobs()
  const after = live.length === 0 ? null : await jobsAfter(options, program, plan.target)
  // A change that does not load removes no job: the live set stays.
  const removed = after && tooManyRemoved(live, after)
  if (!removed) return false
  const { ours, ahead, behind } = plan
  const held = { ours, theirs, ...removed, pick }
  options.store.update({ ahead, behind, held, conflict: null, error: null, failures: 0 })
  return true
}

/** Ids of the jobs that a commit registers, read in a separate work tree; null if it does not load. */
async function jobsAfter(
  { dir, scratchDir, readJobs }: Options,
  program: SyncProgram,
  commit: string,
): Promise<string[] | null> {
  mkdirSync(scratchDir, { recursive: true })
  const scratch = mkdtempSync(join(scratchDir, 'pull-'))
  try {
    const folder = join(scratch, 'jobs')
    mkdirSync(folder)
    await program.ask({ op: 'scratch', commit, folder })
    const packages = join(dir, 'node_modules')
    if (existsSync(packages)) symlinkSync(packages, join(folder, 'node_modules'))
    return await readJobs(folder, scratch)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Checks the target out; false if files changed meanwhile. Throws with the reason if that is refused. */
async function takeTarget(
  { store, exclusive, onTarget }: Options,
  program: SyncProgram,
  { ours: from, target: to, ahead, behind }: Plan,
  branch: string,
): Promise<boolean> {
  onTarget(to)
  const done = await exclusive(() => program.ask({ op: 'checkout', branch, from, to }))
  if (done.done) return true
  if (done.stale) return false
  store.update({ ahead, behind })
  throw new Error(done.refused)
}

/** Pushes our side to a branch of its own, so that people can merge it anywhere, and stores the conflict. */
async function showConflict(
  { store, clock }: Options,
  program: SyncProgram,
  address: RemoteAddress,
  { conflict: before, failures }: Remote,
  { kind, ours, ahead, behind, files }: Plan,
  theirs: string,
): Promise<void> {
  const known = before?.ours === ours ? before.sideBranch : null
  const { sideBranch, error } = known
    ? { sideBranch: known, error: null }
    : await pushSide(program, address, ours, before?.sideBranch ?? null)
  store.update({
    conflict: { kind: kind === 'rewritten' ? kind : 'edits', ours, theirs, sideBranch, files },
    ahead,
    behind,
    held: null,
    error,
    failures: error ? failures + 1 : 0,
    lastSyncAt: clock.now(),
  })
}

/** Pushes to the previous branch if possible, else to a new one. */
async function pushSide(
  program: SyncProgram,
  remote: RemoteAddress,
  commit: string,
  before: string | null,
): Promise<{ sideBranch: string | null; error: string | null }> {
  let error: string | null = null
  for (const branch of [before, `longhouse/${commit.slice(0, 12)}`]) {
    if (branch === null) continue
    try {
      const { pushed } = await program.ask({ op: 'push', remote, commit, branch })
      if (pushed) return { sideBranch: branch, error }
    } catch (failure) {
      error = (failure as Error).message
    }
  }
  return { sideBranch: null, error }
}
