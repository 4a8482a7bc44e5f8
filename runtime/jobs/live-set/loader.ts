import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import type { Author } from '../../git/authors.ts'
import { hasBuild } from '../../manifest/builds.ts'
import type { ManifestError } from '../../manifest/manifest-error.ts'
import { type ReadManifest, readManifest } from '../../manifest/read-manifest.ts'
import type { Readers } from '../../manifest/spare-reader.ts'
import type { Packages } from '../../packages/contract.ts'
import type { RepoService } from '../../repo/contract.ts'
import type { Folders } from '../../volume/contract.ts'
import type { JobsDifference, ManifestState } from '../contract.ts'
import { createCommits } from './commits.ts'
import { differenceInWords, differenceOf, isEmpty } from './difference.ts'
import type { LiveSet, LiveSetStore } from './live-set.ts'
import { scanTree, type Tree, touchesCode } from './tree.ts'

export interface Loader {
  state(): ManifestState
  /**
   * Looks at the files, and when they differ from what was last looked at, makes them live or refuses them.
   * `again` looks even when they do not. One at a time; what is asked for meanwhile is one round after it.
   */
  load(options?: { again?: boolean }): Promise<ManifestState>
  /** The words of whoever changes the files next, for the commit of it. */
  say(message: string, author: Author): void
  /** The message that waits for its commit; '' for none. */
  said(): string
  /** Lets the set that is held back go live, if the files still say the same. */
  confirm(): Promise<ManifestState>
  /** Does something to the files while nothing is loaded or committed, and looks at them after it. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when no round is going. */
  idle(): Promise<void>
  /** The tree as it was last seen. */
  tree(): Tree | null
}

export interface LoadLimits {
  readMs: number
  memoryMb: number
}

/** Files that change while they are read are read again, so many times. */
const attempts = 5

/** Changes of files that are not code are committed this often. */
const dataCommitEveryMs = 60_000

export function createLoader(options: {
  folders: Folders
  live: LiveSetStore
  repo: Pick<RepoService, 'ensure' | 'stage' | 'commit' | 'warmUp' | 'folderFault'>
  packages: Packages
  readers: Readers
  timezone: string
  /** Of the program and its SDK: a new version reads the same files again. */
  version: string
  limits: LoadLimits
  clock: Clock
  log: Logger
  onLive: () => void
  /** What the jobs repo's head is after a commit. */
  onCommit: (commit: string) => void
  /** Between two rounds, when nothing is being built. */
  afterRound: () => Promise<void>
  onTree: (tree: Tree) => boolean
}): Loader {
  const { folders, live, repo, packages, readers, clock, log, limits, timezone } = options
  let status: ManifestState['status'] = 'loading'
  let errors: ManifestError[] = []
  let waitingFor: ManifestState['waitingFor'] = null
  let lastChange: JobsDifference | null = null
  let held: { build: string; difference: JobsDifference } | null = null
  let confirmed: string | null = null
  let tree: Tree | null = null
  let seen: Tree | null = null
  let compiled: ReadonlySet<string> | null = null
  let dataCommittedAt = Number.NEGATIVE_INFINITY
  const commits = createCommits(repo, log)
  let running: Promise<void> | null = null
  let waiting: { again: boolean; promise: Promise<void> } | null = null

  const state = (): ManifestState => {
    const set = live.current()
    const difference = held?.difference ?? lastChange
    const { commit = null, loadedAt = null } = set ?? {}
    const nextTryAt = waitingFor === 'registry' ? packages.state().nextTryAt : null
    return { status, errors, waitingFor, nextTryAt, difference, commit, loadedAt }
  }

  /** Folders that are new to the watcher are looked at once more: what happened before it came is unknown. */
  const scan = async (): Promise<Tree> => {
    for (let round = 0; ; round++) {
      tree = await scanTree(folders.jobsDir)
      if (!options.onTree(tree) || round === 3) return tree
    }
  }

  const settle = (tree: Tree, faults: ManifestError[]) => {
    seen = tree
    waitingFor = null
    held = null
    errors = faults
    status = faults.length > 0 ? 'error' : 'ok'
  }

  /** True when packages had to be installed, so that the files are looked at anew. Throws when they cannot be had. */
  const providePackages = async (): Promise<boolean> => {
    if (!packages.missing()) return false
    errors = [atPackageJson('its packages are being installed; the change goes live when they are in')]
    status = 'error'
    waitingFor = 'packages'
    await packages.ensure()
    return true
  }

  const round = async (again: boolean): Promise<void> => {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const before = await scan()
      const stamp = `${before.stamp} ${options.version}`
      const set = live.current()
      const fault = repo.folderFault()
      if (fault) return settle(before, [{ file: null, line: null, column: null, message: fault }])
      if (!again && before.stamp === seen?.stamp && (status === 'error' || set?.commit)) return
      if (!again && set && seen && compiled && status === 'ok' && !touchesCode(seen, before, compiled)) {
        return commitData(set, before, stamp, compiled)
      }
      if (
        !again &&
        set?.tree === stamp &&
        set.commit &&
        hasBuild(folders.buildsDir, set.build) &&
        !packages.missing()
      )
        return settle(before, [])
      try {
        if (await providePackages()) continue
      } catch (error) {
        settle(before, [atPackageJson((error as Error).message)])
        if (packages.state().offline) waitingFor = 'registry'
        return
      }
      // Before the first set is live, nothing may be slower for it.
      if (set) repo.warmUp()
      const { jobsDir, buildsDir } = folders
      const read = await readManifest({
        jobsDir,
        buildsDir,
        timezone,
        limitMs: limits.readMs,
        memoryMb: limits.memoryMb,
        readers,
      })
      // Whoever saved once saves again, and sooner when it was refused.
      if (set) readers.expectSoon()
      if ('errors' in read) {
        log.warn({ errors: read.errors.length, first: read.errors[0] }, 'manifest refused')
        return settle(before, read.errors)
      }
      const jobs = new Map(read.jobs.map(job => [job.id, job]))
      const difference = set && differenceOf(set.jobs, jobs, clock.now())
      if (set && difference && set.jobs.size > 0 && jobs.size === 0 && confirmed !== read.build) {
        settle(before, [nothingLeft(set.jobs.size)])
        waitingFor = 'confirmation'
        held = { build: read.build, difference }
        return
      }
      const goLive = (commit: string | null) => {
        live.swap({ build: read.build, commit, tree: stamp, loadedAt: clock.now(), jobs }, clock.now())
        settle(before, [])
        compiled = new Set(read.inputs)
        if (difference && !isEmpty(difference)) lastChange = difference
        options.onLive()
      }
      // The very first set does not wait for its commit, which the runs of these moments get afterwards.
      if (set === null) goLive(null)
      const staged = await commits.stage()
      if (changedMeanwhile(read, before, await scan())) continue
      const commit = staged ? await commits.commit(difference ? differenceInWords(difference) : '') : null
      goLive(commit)
      if (commit) options.onCommit(commit)
      log.info({ jobs: read.jobs.length, commit }, 'manifest live')
      return
    }
    const message = 'files of the jobs repo changed again and again while they were loaded'
    errors = [{ file: null, line: null, column: null, message }]
    status = 'error'
  }

  /**
   * A job that writes into its own repo must not make a build of every line, nor a commit of every second. What was in
   * the way of an earlier commit may be gone by now, too.
   */
  const commitData = async (
    set: LiveSet,
    now: Tree,
    stamp: string,
    inputs: ReadonlySet<string>,
  ): Promise<void> => {
    if (set.commit !== null && clock.monotonic() - dataCommittedAt < dataCommitEveryMs) return
    const staged = await commits.stage()
    // Code that was saved meanwhile is staged with it, unread: the round that its save asked for commits both.
    if (touchesCode(now, await scan(), inputs)) return
    dataCommittedAt = clock.monotonic()
    const commit = staged ? await commits.commit() : null
    if (commit) {
      live.swap({ ...set, commit, tree: stamp }, clock.now())
      options.onCommit(commit)
    }
    settle(now, [])
  }

  const start = (again: boolean): Promise<void> => {
    running = round(again)
      .then(options.afterRound)
      .catch(error => {
        log.error({ err: error }, 'loading the manifest failed')
        waitingFor = null
        errors = [{ file: null, line: null, column: null, message: `loading failed: ${error.message}` }]
        status = 'error'
      })
      .finally(() => {
        running = null
      })
    return running
  }

  const idle = async (): Promise<void> => {
    while (running !== null) await running
  }

  /** Begins when nothing is going, and in the same moment, so that no two begin at once. */
  const turn = async <T>(begin: () => Promise<T>): Promise<T> => {
    while (running !== null) await running
    return begin()
  }

  const load = async ({ again = false } = {}): Promise<ManifestState> => {
    if (running === null) await start(again)
    else {
      if (waiting) waiting.again ||= again
      else {
        const next = { again, promise: Promise.resolve() }
        next.promise = turn(() => {
          waiting = null
          return start(next.again)
        })
        waiting = next
      }
      await waiting.promise
    }
    return state()
  }

  return {
    state,
    load,
    say: commits.say,
    said: commits.said,
    confirm: async () => {
      if (held === null) return state()
      confirmed = held.build
      return load({ again: true })
    },
    tree: () => tree,
    idle,
    exclusive: async work => {
      const working = turn(() => {
        const going = work()
        running = going
          .then(
            () => {},
            () => {},
          )
          .finally(() => {
            running = null
          })
        return going
      })
      try {
        return await working
      } finally {
        await load()
      }
    },
  }
}

function nothingLeft(jobs: number): ManifestError {
  const message = `no longer registers any jobs, where there ${jobs === 1 ? 'was one' : `were ${jobs}`}; the change waits until you confirm it`
  return { file: 'manifest.ts', line: null, column: null, message }
}

function atPackageJson(message: string): ManifestError {
  return { file: 'package.json', line: null, column: null, message }
}

/** True when a file that was compiled is not the one that was there before, or that was committed after. */
function changedMeanwhile(read: ReadManifest, before: Tree, after: Tree): boolean {
  return read.inputs.some(file => before.files.get(file) !== after.files.get(file))
}
