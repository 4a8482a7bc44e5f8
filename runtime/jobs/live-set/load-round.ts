import { setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { hasBuild } from '../../manifest/builds.ts'
import { type ReadManifest, readManifest } from '../../manifest/read-manifest.ts'
import type { Readers } from '../../manifest/spare-reader.ts'
import type { Packages, PackagesError } from '../../packages/contract.ts'
import type { RepoService } from '../../repo/contract.ts'
import type { Folders } from '../../volume/contract.ts'
import type { JobsDifference } from '../contract.ts'
import type { Commits } from './commits.ts'
import { differenceInWords, differenceOf } from './difference.ts'
import type { LiveSet, LiveSetStore } from './live-set.ts'
import { changedMeanwhile, dataCommitDue, loadStep, needsConfirmation } from './load-decision.ts'
import * as states from './load-state.ts'
import { scanTree, type Tree, touchesCode } from './tree.ts'

export interface LoadLimits {
  readMs: number
  memoryMb: number
}

export interface LoadRoundOptions {
  folders: Folders
  live: LiveSetStore
  repo: Pick<RepoService, 'folderFault'>
  packages: Packages
  readers: Readers
  timezone: string
  /** Of the program and its SDK: a new version reads the same files again. */
  version: string
  limits: LoadLimits
  clock: Clock
  log: Logger
  onLive: () => void
  /** Gets the new head of the jobs repo after each commit. */
  onCommit: (commit: string) => void
  /** Watches the folders of a tree. True when some of them are new to the watcher. */
  onTree: (tree: Tree) => boolean
}

/**
 * A person waits for the first set, whose commit starts git in a process of its own. The instance first answers that it is ready.
 */
const answeredMs = 30

/** How often files that change while they are read are read again. */
const attempts = 5

/** Loads the files of the jobs repo. Callers see to it that there is one round at a time. */
export class LoadRounds {
  readonly #options: LoadRoundOptions
  readonly #commits: Commits
  #state = states.initialState
  #tree: Tree | null = null
  #dataCommittedAt = Number.NEGATIVE_INFINITY

  constructor(options: LoadRoundOptions, commits: Commits) {
    this.#options = options
    this.#commits = commits
  }

  get state(): states.LoadState {
    return this.#state
  }

  /** The files as they were last seen. */
  get tree(): Tree | null {
    return this.#tree
  }

  confirm(): void {
    this.#state = states.confirmed(this.#state)
  }

  fail(error: Error): void {
    this.#state = states.failed(this.#state, error)
  }

  /**
   * Makes the files live, or refuses them:
   *
   * 1. Scan the files. If the folder cannot be used, that is the error.
   * 2. Decide what they need (`loadStep`). Often that is nothing, or only a commit of data.
   * 3. Install packages that are missing, then begin again.
   * 4. Compile the manifest, and read which jobs it registers. If it has errors, the live set stays. Meanwhile the files are staged.
   * 5. If it registers no jobs, and the live set has some, wait until a person confirms that.
   * 6. If a compiled file changed since step 1, begin again: what was read and what was staged may differ.
   * 7. Commit, and put the new set in place of the live one. A commit that cannot be made does not keep it from that.
   *
   * The very first set goes live before its files are staged: its runs get their commit afterwards.
   */
  async run(again: boolean): Promise<void> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (await this.#attempt(again)) return
    }
    this.#state = states.changedTooOften(this.#state)
  }

  /** Returns false to begin again. */
  async #attempt(again: boolean): Promise<boolean> {
    const { folders, live, repo, packages, version } = this.#options
    const tree = await this.#scan()
    const fault = repo.folderFault()
    if (fault) {
      this.#state = states.refused(this.#state, tree, [states.anywhere(fault)])
      return true
    }
    const set = live.current()
    const stamp = `${tree.stamp} ${version}`
    const step = loadStep(this.#state, {
      again,
      tree,
      stamp,
      live: set,
      hasBuild: build => hasBuild(folders.buildsDir, build),
      packagesMissing: packages.missing,
    })
    if (step === 'commit-data') await this.#commitData(set as LiveSet, tree, stamp)
    if (step === 'keep') this.#state = states.upToDate(this.#state, tree)
    if (step !== 'read') return true
    const installed = await this.#installPackages(tree)
    return installed === 'none-missing' ? this.#read(tree, stamp, set) : installed === 'failed'
  }

  async #installPackages(tree: Tree): Promise<'none-missing' | 'installed' | 'failed'> {
    const { packages } = this.#options
    try {
      if (!packages.missing()) return 'none-missing'
      this.#state = states.installing(this.#state)
      await packages.ensure()
      return 'installed'
    } catch (error) {
      const waitingFor = packages.state().offline ? 'registry' : null
      const errors = [states.packagesError((error as Error).message, error as PackagesError)]
      this.#state = states.refused(this.#state, tree, errors, waitingFor)
      return 'failed'
    }
  }

  /** Steps 4 to 7. */
  async #read(tree: Tree, stamp: string, set: LiveSet | null): Promise<boolean> {
    // Before the first set is live, nothing may slow it down.
    const staging = set && this.#commits.stage()
    try {
      return await this.#readAndCommit(tree, stamp, set, staging)
    } finally {
      await staging
      // An author who saved once saves again.
      if (set) this.#options.readers.expectSoon()
    }
  }

  async #readAndCommit(
    tree: Tree,
    stamp: string,
    set: LiveSet | null,
    staging: Promise<string | null> | null,
  ): Promise<boolean> {
    const { clock, log, onCommit } = this.#options
    const read = await this.#readManifest()
    if ('errors' in read) {
      log.warn({ errors: read.errors.length, first: read.errors[0] }, 'manifest refused')
      this.#state = states.refused(this.#state, await this.#withWritten(tree), read.errors)
      return true
    }
    const jobs = new Map(read.jobs.map(job => [job.id, job]))
    const difference = set && differenceOf(set.jobs, jobs, clock.now())
    if (set && difference && needsConfirmation(this.#state, set, read)) {
      const { build } = read
      this.#state = states.heldBack(this.#state, await this.#withWritten(tree), {
        build,
        difference,
        before: set.jobs.size,
      })
      return true
    }
    const goLive = (commit: string | null) =>
      this.#goLive(tree, read, difference, { commit, tree: stamp, jobs })
    if (set === null) {
      goLive(null)
      await setTimeout(answeredMs)
    }
    const obstacle = await (staging ?? this.#commits.stage())
    if (changedMeanwhile(read, tree, await this.#scan())) return false
    const commit = await this.#commits.commit(obstacle, difference ? differenceInWords(difference) : '')
    goLive(commit)
    if (commit) onCommit(commit)
    log.info({ jobs: read.jobs.length, commit }, 'manifest live')
    return true
  }

  /** The files as they were read, with what modules wrote while they were loaded: that is no reason to read them again. */
  async #withWritten(before: Tree): Promise<Tree> {
    const after = await this.#scan()
    return touchesCode(before, after, new Set()) ? before : after
  }

  #readManifest() {
    const { folders, timezone, limits, readers } = this.#options
    const { jobsDir, buildsDir } = folders
    const { readMs: limitMs, memoryMb } = limits
    return readManifest({ jobsDir, buildsDir, timezone, limitMs, memoryMb, readers })
  }

  #goLive(
    seen: Tree,
    { build, inputs }: ReadManifest,
    difference: JobsDifference | null,
    set: Pick<LiveSet, 'commit' | 'tree' | 'jobs'>,
  ): void {
    const { live, clock, onLive } = this.#options
    const now = clock.now()
    live.swap({ ...set, build, loadedAt: now }, now)
    this.#state = states.wentLive(this.#state, seen, { inputs, difference })
    onLive()
  }

  /** Commits files that are not code, from time to time: a job may write some every second. */
  async #commitData(set: LiveSet, tree: Tree, stamp: string): Promise<void> {
    const { live, clock, onCommit } = this.#options
    if (!dataCommitDue(set, clock.monotonic() - this.#dataCommittedAt)) return
    const obstacle = await this.#commits.stage()
    // Code that was saved meanwhile is staged too, unread: the round that its save asked for commits both.
    const { compiled } = this.#state
    if (compiled && touchesCode(tree, await this.#scan(), compiled)) return
    this.#dataCommittedAt = clock.monotonic()
    const commit = await this.#commits.commit(obstacle)
    if (commit) {
      live.swap({ ...set, commit, tree: stamp }, clock.now())
      onCommit(commit)
    }
    this.#state = states.upToDate(this.#state, tree)
  }

  /** Scans again when folders were new to the watcher: what happened in them before it came is unknown. */
  async #scan(): Promise<Tree> {
    for (let round = 0; ; round++) {
      const tree = await scanTree(this.#options.folders.jobsDir)
      this.#tree = tree
      if (!this.#options.onTree(tree) || round === 3) return tree
    }
  }
}
