import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular } from '../../src/storage/regular-file.ts'
import { GitProcess } from '../git/git-process.ts'
import type { CommitWords, GitState, KnownRemote } from '../git/work-tree/protocol.ts'
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
  stop(): Promise<void>
}

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
  const program = new GitProcess({ dir, cacheDir: options.cacheDir, idleMs, limitMs })
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
    stop: () => program.stop(),
  }
}

const mostUncommitted = 100

function statusOf(state: GitState | null): RepoStatus {
  return {
    initialized: state !== null,
    branch: state?.branch ?? null,
    head: state?.head ?? null,
    dirty: state !== null && (state.obstacle !== null || state.dirty.length > 0),
    uncommitted: state?.dirty.slice(0, mostUncommitted) ?? [],
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
