import { createHmac, timingSafeEqual } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { programRoot } from '../../src/root.ts'
import { startTask } from '../../src/tasks.ts'
import type { RepoStatus } from '../contract.ts'
import { journalPath } from './journal.ts'
import type { Plan, RemoteAddress, Side } from './protocol.ts'
import type { Connection, Remote, RemoteStore } from './remote.ts'
import { type SyncProgram, startSyncProgram } from './sync-program.ts'

const pollMs = 5 * 60_000
const firstRetryMs = 30_000
const longestRetryMs = 60 * 60_000
/** Either side may move while the other is looked at, but not for ever. */
const attempts = 5

export interface Sync {
  /** Null when none is connected. */
  remote(): (Remote & { nextSyncAt: number | null; syncing: boolean }) | null
  /** Rejects in words when the repository cannot be read and written. */
  verify(
    address: Omit<RemoteAddress, 'limitMs'>,
  ): Promise<{ branches: string[]; defaultBranch: string | null }>
  /** Returns the secret for the remote's webhook, and does the first sync. */
  connect(connection: Connection): Promise<string>
  disconnect(): Promise<void>
  /** Syncs now. What fails is in `remote()` afterwards. `confirm` names the remote's commit that was held back. */
  sync(options?: { confirm?: string }): Promise<void>
  /** Settles a conflict for one side, where both changed the same; `theirs` names the commit that was shown. */
  resolve(pick: { side: Side; theirs: string }): Promise<void>
  /** True when the remote's signature fits; then a sync begins. */
  webhook(body: Uint8Array, signature: string): boolean
  /** The token that is kept, for connecting again without typing it. */
  token(): string | null
  webhookSecret(): string | null
  /** Something was committed here. */
  committed(commit: string | null): void
  /** Finishes what was killed; to be called before the files are looked at. */
  recover(): Promise<void>
  /** Begins to poll. */
  start(): void
  stop(): Promise<void>
}

export interface SyncOptions {
  dir: string
  cacheDir: string
  /** For the work tree in which a pull is looked at first. */
  scratchDir: string
  store: RemoteStore
  clock: Clock
  log: Logger
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

/** The repo with what is known of its remote. */
export function withRemote(repo: RepoStatus, remote: ReturnType<Sync['remote']>): RepoStatus {
  if (!remote) return repo
  const { url, branch, ahead, behind, lastSyncAt, error, nextSyncAt, syncing, conflict, held } = remote
  return {
    ...repo,
    remote: {
      connected: true,
      url,
      branch,
      ahead,
      behind,
      lastSyncAt,
      error,
      nextSyncAt,
      syncing,
      conflict,
      held,
    },
  }
}

type Choice = { confirm?: string; pick?: { side: Side; theirs: string } }

export function createSync(options: SyncOptions): Sync {
  const { dir, cacheDir, scratchDir, store, clock, log, limitMs } = options
  let turn: Promise<unknown> = Promise.resolve()
  const programs = new Set<SyncProgram>()
  let stopped = false
  let syncing = false
  let nextSyncAt: number | null = null
  let lastCommit: string | null = null
  /** True while a sync itself has commits made, which it is about to look at. */
  let taking = false
  let poll: ReturnType<typeof startTask> | null = null

  /** One at a time, in the order of asking. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => {})
    return mine
  }
  const withProgram = async <T>(work: (program: SyncProgram) => Promise<T>): Promise<T> => {
    if (stopped) throw new Error('the instance is stopping')
    const program = startSyncProgram(dir, cacheDir)
    programs.add(program)
    try {
      return await work(program)
    } finally {
      programs.delete(program)
      await program.end()
    }
  }

  const round = async (choice: Choice): Promise<void> => {
    const remote = store.current()
    if (!remote) return
    syncing = true
    try {
      await withProgram(program => syncOnce(program, remote, choice))
    } catch (error) {
      if (stopped) return
      const failures = remote.failures + 1
      const message = (error as Error).message
      log.warn({ reason: message, failures }, 'sync failed')
      store.update({ failures, error: message })
    } finally {
      syncing = false
      nextSyncAt = clock.now() + delay()
    }
  }

  const syncOnce = async (program: SyncProgram, remote: Remote, choice: Choice): Promise<void> => {
    const token = store.token()
    if (token === null)
      throw new Error('its token cannot be read, because this instance has another key now; connect again')
    const address = { url: remote.url, username: remote.username, token, limitMs }
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const { head, branches } = await program.ask({ op: 'fetch', remote: address, branch: remote.branch })
      if (head === null) checkMissing(remote, branches)
      taking = true
      await options.load().finally(() => {
        taking = false
      })
      const pick =
        choice.pick && choice.pick.theirs === head ? choice.pick.side : heldPick(remote, choice, head)
      const plan = await program.ask({
        op: 'plan',
        request: {
          branch: remote.localBranch,
          theirs: head,
          last: remote.last,
          pick,
          template: programRoot('jobs-template'),
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
        lastCommit = plan.target
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

  const delay = (): number => {
    const failures = store.current()?.failures ?? 0
    return failures === 0 ? pollMs : Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs)
  }

  return {
    remote: () => {
      const remote = store.current()
      return remote && { ...remote, syncing, nextSyncAt }
    },
    token: store.token,
    webhookSecret: store.webhookSecret,
    verify: address => withProgram(program => program.ask({ op: 'verify', remote: { ...address, limitMs } })),
    connect: connection =>
      inTurn(async () => {
        const secret = store.connect(connection)
        await round({})
        return secret
      }),
    disconnect: () =>
      inTurn(async () => {
        store.disconnect()
        nextSyncAt = null
      }),
    sync: (choice = {}) => inTurn(() => round(choice)),
    resolve: pick => inTurn(() => round({ pick })),
    webhook: (body, signature) => {
      const secret = store.webhookSecret()
      if (secret === null) return false
      const expected = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
      const [a, b] = [Buffer.from(signature), Buffer.from(expected)]
      if (a.length !== b.length || !timingSafeEqual(a, b)) return false
      poll?.nudge()
      return true
    },
    committed: commit => {
      if (commit === lastCommit) return
      lastCommit = commit
      if (!taking) poll?.nudge()
    },
    recover: async () => {
      rmSync(scratchDir, { recursive: true, force: true })
      if (!existsSync(journalPath(dir)) && !existsSync(join(dir, '.git/index.lock'))) return
      await options
        .exclusive(() => withProgram(program => program.ask({ op: 'recover' })))
        .catch(error => log.error({ err: error }, 'an interrupted sync could not be finished'))
    },
    start: () => {
      const task = {
        name: 'sync',
        get everyMs() {
          return delay()
        },
        run: () => inTurn(() => round({})),
      }
      poll = startTask(task, { clock, log })
    },
    stop: async () => {
      stopped = true
      await Promise.all([...programs].map(program => program.end()))
      await poll?.stop()
      await turn
    },
  }
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
