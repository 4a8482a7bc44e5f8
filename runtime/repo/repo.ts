import type { ChildProcess } from 'node:child_process'
import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular } from '../../src/storage/regular-file.ts'
import type { CommitWords, GitAnswer, GitRequest, GitState, KnownRemote } from '../git/work-tree/protocol.ts'
import { startProgram } from '../process/child-program.ts'
import { jobsFolderFault } from './bootstrap.ts'
import type { RepoStatus } from './contract.ts'

/** The git repository of the jobs repo. */
export interface Repo {
  initialized(): boolean
  /** Creates the repo; does nothing if there is one. */
  init(): Promise<void>
  /**
   * First half of a commit: stages all changes; with `like`, all differences from HEAD to that commit. Returns what
   * was in the way, or null.
   */
  stage(options?: { like: string }): Promise<string | null>
  /** Second half: commits what was staged. Returns HEAD. */
  commit(words?: CommitWords): Promise<string | null>
  /** Unpushed commits are reported if there is a remote. */
  status(remote?: KnownRemote | null): Promise<RepoStatus>
  /** Starts the git program in advance, because it is about to be needed. */
  warmUp(): void
  stop(): Promise<void>
}

type Question<R = GitRequest> = R extends GitRequest ? Omit<R, 'id'> : never

/** `treeStamp` changes with the files: results computed from them are valid until then. */
export function openRepo(options: {
  dir: string
  /** Exists while a new repo with the starter files has no commit yet: see `bootstrapJobs`. */
  starterMark: string
  cacheDir: string
  treeStamp: () => string | number
  idleMs?: number
  /** The time limit of a request. */
  limitMs?: number
}): Repo {
  const { dir, starterMark, treeStamp, idleMs = 10_000, limitMs = 60_000 } = options
  const program = gitProgram(dir, options.cacheDir, { idleMs, limitMs })
  let known: { key: string; state: GitState } | null = null
  let initialising: Promise<unknown> | null = null

  const look = async (remote: KnownRemote | null): Promise<GitState> => {
    const state = await program.ask({ op: 'status', dir, remote })
    known = { key: stateKey(dir, treeStamp(), remote), state }
    return state
  }
  const make = async (): Promise<void> => {
    await program.ask({ op: 'init', dir, starter: existsSync(starterMark) })
    rmSync(starterMark, { force: true })
  }
  const initialized = () => jobsFolderFault(dir) === null && existsSync(join(dir, '.git'))
  return {
    initialized,
    init: async () => {
      const fault = jobsFolderFault(dir)
      if (fault) throw new Error(fault)
      if (initialized() && !existsSync(starterMark)) return
      initialising ??= make().finally(() => {
        initialising = null
      })
      await initialising
    },
    stage: async options => (await program.ask({ op: 'stage', dir, ...options })).refused,
    commit: async (words = {}) => (await program.ask({ op: 'commit', dir, ...words })).head?.commit ?? null,
    status: async (remote = null) => {
      // During initialisation a caller gets the state as it will be in a moment; `init` reports why it failed.
      await initialising?.catch(() => {})
      if (!initialized()) return statusOf(null)
      const fresh = known?.key === stateKey(dir, treeStamp(), remote)
      return statusOf(fresh && known ? known.state : await look(remote))
    },
    warmUp: () => program.start(),
    stop: () => program.stop(),
  }
}

function statusOf(state: GitState | null): RepoStatus {
  return {
    initialized: state !== null,
    branch: state?.branch ?? null,
    head: state?.head ?? null,
    dirty: state !== null && (state.obstacle !== null || state.dirty.length > 0),
    obstacle: state?.obstacle ?? null,
    notFetched: state?.notFetched ?? [],
    notCommitted: state?.notCommitted ?? [],
    remote: {
      connected: false,
      url: state?.remote?.url ?? null,
      branch: state?.remote?.branch ?? null,
      ahead: null,
      unpushed: state?.unpushed ?? { count: 0, commits: [] },
      behind: null,
      lastSyncAt: null,
      error: null,
      nextSyncAt: null,
      syncing: false,
      conflict: null,
      held: null,
    },
  }
}

/** Changes whenever git’s own files change: a person may use git in the repo directly. */
function stateKey(dir: string, treeStamp: string | number, remote: KnownRemote | null): string {
  const head = read(join(dir, '.git/HEAD'))
  const ref = /^ref: (refs\/[^\s\0]+)/.exec(head)?.[1]
  const branch = ref?.split('/').includes('..') ? undefined : ref
  const stamps = ['index', 'config', 'packed-refs'].map(name => mtime(join(dir, '.git', name)))
  return [
    treeStamp,
    remote !== null,
    remote?.synced,
    head,
    branch ? read(join(dir, '.git', branch)) : '',
    ...stamps,
  ].join(' ')
}

/** A ref is one short line. */
function read(file: string): string {
  return readRegular(file, 4096)?.toString('utf8') ?? ''
}

function mtime(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function inodeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? 0
}

const memoryMb = 256

/** The git program, started with the first request and ended `idleMs` after the last answer. */
function gitProgram(dir: string, cacheDir: string, { idleMs, limitMs }: { idleMs: number; limitMs: number }) {
  const waiting = new Map<
    number,
    { by: ChildProcess; resolve: (state: GitState) => void; reject: (error: Error) => void }
  >()
  let child: ChildProcess | null = null
  let gone: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let lastId = 0
  let stopped = false
  let startedIn = 0

  const owes = (program: ChildProcess) => waiting.values().some(({ by }) => by === program)
  /** It ends after its answers, which need the channel; requests to its successor are not lost. */
  const release = (program: ChildProcess) => {
    if (program.connected && !owes(program)) program.disconnect()
  }
  const dismiss = () => {
    clearTimeout(idle)
    const leaving = child
    child = null
    if (leaving) release(leaving)
  }
  const rest = () => {
    clearTimeout(idle)
    if (waiting.size === 0) idle = setTimeout(dismiss, idleMs).unref()
  }
  const start = (): ChildProcess => {
    // Its restrictions apply to the folder that existed when it started.
    if (child?.connected && startedIn !== inodeOf(dir)) dismiss()
    if (child?.connected) return child
    const started = startProgram('git', { jobsDir: dir, cacheDir, memoryMb })
    startedIn = inodeOf(dir)
    started.on('message', (answer: GitAnswer) => {
      const asked = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ('ok' in answer) asked?.resolve(answer.ok)
      else asked?.reject(new Error(answer.error))
      if (child !== started) release(started)
      rest()
    })
    const ending = new Promise<void>(resolve => {
      const ended = (why: string) => {
        if (child === started) child = null
        // Its successor may have requests already.
        for (const [id, { by, reject }] of waiting) {
          if (by !== started) continue
          waiting.delete(id)
          reject(new Error(`the git program ended: ${why}`))
        }
        resolve()
      }
      started.once('error', error => ended(error.message))
      started.once('exit', (code, signal) =>
        // Node aborts when its heap is full.
        ended(signal === 'SIGABRT' ? `it needs more than ${memoryMb} MiB` : (signal ?? `exit code ${code}`)),
      )
    })
    gone = Promise.all([gone, ending])
    child = started
    return started
  }

  return {
    start: () => {
      start()
      rest()
    },
    ask: (question: Question) => {
      if (stopped) return Promise.reject(new Error('the git program was stopped'))
      const id = ++lastId
      return new Promise<GitState>((resolve, reject) => {
        const asked = start()
        clearTimeout(idle)
        const limit = setTimeout(() => {
          waiting.delete(id)
          reject(new Error(`git took longer than ${limitMs / 1000} seconds`))
          // The next request starts another one, and does not end with this one.
          if (child === asked) child = null
          asked.kill('SIGKILL')
        }, limitMs)
        const finish =
          <T>(done: (value: T) => void) =>
          (value: T) => {
            clearTimeout(limit)
            done(value)
          }
        waiting.set(id, { by: asked, resolve: finish(resolve), reject: finish(reject) })
        asked.send({ ...question, id }, error => {
          if (error) reject(error)
        })
      })
    },
    stop: async () => {
      stopped = true
      dismiss()
      await gone
    },
  }
}
