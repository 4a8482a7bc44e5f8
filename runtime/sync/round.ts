import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { builtRoot } from '../../src/root.ts'
import type { Author } from '../git/authors.ts'
import type { Plan, RemoteAddress, Side } from '../git/merge/sync-protocol.ts'
import type { Remote, RemoteStore } from './remote.ts'
import type { SyncProgram } from './sync-program.ts'

/** Either side may move while the other is looked at, but not for ever. */
const attempts = 5

/** What somebody said beforehand: a change that was held back is meant, or which side of a conflict is wanted. */
export type Choice = { confirm?: string; pick?: { side: Side; theirs: string }; by?: Author }

/** Brings both sides together once, and stores what came of it. Rejects in words when that cannot be done now. */
export type Round = (program: SyncProgram, remote: Remote, choice: Choice) => Promise<void>

export interface RoundOptions {
  dir: string
  /** For the work tree in which a pull is looked at first. */
  scratchDir: string
  store: RemoteStore
  clock: Clock
  /** The longest that a request to the remote may take. */
  limitMs: number
  /** Commits what is committable. */
  load(): Promise<unknown>
  /** Keeps loads and commits away while files are written. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Ids of the jobs that run now. */
  liveJobs(): string[]
  /** Ids of the jobs that a folder registers, or null when it does not load. */
  readJobs(folder: string, scratch: string): Promise<string[] | null>
}

export function createRound(options: RoundOptions & { onTarget(commit: string): void }): Round {
  const { dir, scratchDir, store, clock, limitMs } = options

  const round: Round = async (program, remote, choice) => {
    const token = store.token()
    if (token === null)
      throw new Error('its token cannot be read, because this instance has another key now; connect again')
    const address = { url: remote.url, username: remote.username, token, limitMs }
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const { head, branches } = await program.ask({ op: 'fetch', remote: address, branch: remote.branch })
      if (head === null) checkMissing(remote, branches)
      await options.load()
      const pick =
        choice.pick && choice.pick.theirs === head ? choice.pick.side : heldPick(remote, choice, head)
      const plan = await program.ask({
        op: 'plan',
        request: {
          branch: remote.localBranch,
          theirs: head,
          last: remote.last,
          pick,
          by: choice.by ?? null,
          template: builtRoot('jobs-template'),
        },
      })
      const { ahead, behind } = plan
      if (plan.kind === 'conflict' || plan.kind === 'rewritten') {
        await showConflict(program, address, remote, plan, head as string)
        return
      }
      if (plan.target !== plan.ours) {
        const removes = plan.adopts || choice.confirm === head ? null : await tooMuchGone(program, plan)
        if (removes) {
          const held = { ours: plan.ours, theirs: head as string, ...removes, pick }
          store.update({ ahead, behind, held, conflict: null, error: null, failures: 0 })
          return
        }
        const { localBranch: branch } = remote
        options.onTarget(plan.target)
        const done = await options.exclusive(() =>
          program.ask({ op: 'checkout', branch, from: plan.ours, to: plan.target }),
        )
        if (!done.done) {
          if (done.stale) continue
          store.update({ ahead, behind })
          throw new Error(done.refused)
        }
      }
      if (plan.target !== head) {
        const { branch } = remote
        const { pushed } = await program.ask({ op: 'push', remote: address, commit: plan.target, branch })
        if (!pushed) continue
      }
      const settled = { conflict: null, held: null, error: null, failures: 0, ahead: 0, behind: 0 }
      store.update({ ...settled, last: plan.target, lastSyncAt: clock.now() })
      return
    }
    throw new Error('both sides changed again and again while they were synced')
  }

  /** Our side goes to a branch of its own, so that it can be merged wherever people like to. */
  const showConflict = async (
    program: SyncProgram,
    remote: RemoteAddress,
    known: Remote,
    plan: Plan,
    theirs: string,
  ): Promise<void> => {
    const before = known.conflict
    const names = [before?.sideBranch, `longhouse/${plan.ours.slice(0, 12)}`].filter(name => name != null)
    const unchanged = before?.sideBranch && before.ours === plan.ours
    let sideBranch = unchanged ? before.sideBranch : null
    let error: string | null = null
    for (const branch of unchanged ? [] : names) {
      try {
        const { pushed } = await program.ask({ op: 'push', remote, commit: plan.ours, branch })
        if (!pushed) continue
        sideBranch = branch
        break
      } catch (failure) {
        error = (failure as Error).message
      }
    }
    const { kind, ours, ahead, behind, files } = plan
    const conflict = {
      kind: kind === 'rewritten' ? kind : ('edits' as const),
      ours,
      theirs,
      sideBranch,
      files,
    }
    const failures = error ? known.failures + 1 : 0
    store.update({ conflict, ahead, behind, held: null, error, failures, lastSyncAt: clock.now() })
  }

  /** The jobs that the change would remove, when they are more than half of those that run. */
  const tooMuchGone = async (
    program: SyncProgram,
    plan: Plan,
  ): Promise<{ removes: string[]; of: number } | null> => {
    const live = options.liveJobs()
    if (live.length === 0) return null
    mkdirSync(scratchDir, { recursive: true })
    const scratch = mkdtempSync(join(scratchDir, 'pull-'))
    try {
      const folder = join(scratch, 'jobs')
      mkdirSync(folder)
      await program.ask({ op: 'scratch', commit: plan.target, folder })
      if (existsSync(join(dir, 'node_modules')))
        symlinkSync(join(dir, 'node_modules'), join(folder, 'node_modules'))
      const jobs = await options.readJobs(folder, scratch)
      // What does not load takes no job away: the set that runs stays.
      if (jobs === null) return null
      const removes = live.filter(id => !jobs.includes(id))
      return removes.length * 2 > live.length ? { removes, of: live.length } : null
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }

  return round
}

function checkMissing(remote: Remote, branches: readonly string[]): void {
  const { branch } = remote
  if (remote.last !== null) {
    throw new Error(
      `the branch ${branch} is gone from the remote; nothing is sent until it is back, or another one is connected`,
    )
  }
  if (branches.length > 0) {
    throw new Error(`the remote has no branch ${branch}; it has ${branches.slice(0, 10).join(', ')}`)
  }
}

/** What was picked before a change was held back still holds when that is confirmed. */
function heldPick({ held }: Remote, { confirm }: Choice, head: string | null): Side | null {
  return held && confirm === head && held.theirs === head ? held.pick : null
}
