/**
 * What the instance's web side asks of its engine. Times are milliseconds since the epoch; the web side turns them
 * into the wire's RFC 3339.
 */

import type { EditWords } from './jobs/edits.ts'
import type { OpenLog } from './jobs/open-log.ts'
import type { NotifySpec } from './notices/notify.ts'
import type { ParamsSpec } from './params/params.ts'
import type { Author } from './repo/authors.ts'
import type { RepoFiles } from './repo/files.ts'
import type { FolderList } from './repo/folder-list.ts'
import type { History } from './repo/history.ts'
import type { Unpushed } from './repo/protocol.ts'
import type { RawFiles } from './repo/raw-files.ts'
import type { NotCommitted, NotFetched } from './repo/work-tree-scan.ts'
import type { Secrets } from './secrets/secrets.ts'
import type { StateStore } from './state/state.ts'
import type { Conflict, Held } from './sync/remote.ts'
import type { Sync } from './sync/sync.ts'

export type RunStatus =
  | 'queued'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'timed_out'
  | 'cancelled'
  | 'interrupted'
export type RunTrigger = 'schedule' | 'manual' | 'api'

export interface Run {
  id: string
  jobId: string
  status: RunStatus
  trigger: RunTrigger
  /** The due time that this run is for; null when a person or a script asked for it. */
  slot: number | null
  attempt: number
  /** The commit of the jobs repo whose code it runs. */
  commit: string | null
  /** What it was made with; a job's own schema may make something else of them. */
  params: Record<string, unknown>
  /** The run that this one does again. */
  replayOf: string | null
  /** Of another attempt, the first one. */
  attemptOf: string | null
  /** It does not start before then: another attempt of a run that did not succeed. */
  notBefore: number | null
  queuedAt: number
  startedAt: number | null
  finishedAt: number | null
  durationMs: number | null
  /** What the job returned, as JSON. */
  result: unknown
  error: { message: string; stack: string | null } | null
}

/** A run that waits for its turn. */
export interface WaitingRun {
  id: string
  /** What keeps it from starting now, in words. */
  reason: string
}

/** A run as pictures of many need it. */
export type RunBrief = Pick<Run, 'id' | 'status' | 'durationMs'>

export interface Job {
  id: string
  cron: string
  timezone: string
  description: string
  enabled: boolean
  /** Where it was registered, relative to the repo. */
  source: { file: string; line: number } | null
  /** Null when it is disabled or its expression has no further slot. */
  nextRunAt: number | null
  lastRun: Run | null
  policies: JobPolicies
  notify: NotifySpec
  /** What its runs may be told; null when they take anything. */
  params: ParamsSpec | null
  /** Names of the secrets that its runs get. */
  secrets: readonly string[]
  /** Those that are not set or cannot be read: no run starts without them. */
  missingSecrets: readonly string[]
}

/** Times are milliseconds. */
export interface JobPolicies {
  timeoutMs: number
  /** What a run may hold with all that it starts, and whether the job itself says so. */
  memory: { bytes: number; own: boolean }
  catchUp: 'none' | 'latest' | 'all'
  catchUpWindowMs: number
  overlap: 'skip' | 'queue' | 'replace'
  retry: { attempts: number; delayMs: number; factor: number; maxDelayMs: number; jitter: number } | null
  onInterrupt: 'fail' | 'rerun'
  concurrencyKey: string | null
}

export interface ManifestError {
  file: string | null
  line: number | null
  column: number | null
  message: string
}

export interface ManifestState {
  /** `loading` only until the first load after boot has ended. */
  status: 'ok' | 'error' | 'loading'
  /** The commit of the set that runs now: the last good one. */
  commit: string | null
  loadedAt: number | null
  errors: ManifestError[]
  /** What stands between the files and the set that runs, when it is no mistake; `status` is `error` meanwhile. */
  waitingFor: 'packages' | 'registry' | 'confirmation' | null
  /** While it waits for the registry, when that is asked again. */
  nextTryAt: number | null
  /** What the last load changed; while it waits for a confirmation, what it would change. Null when nothing. */
  difference: JobsDifference | null
}

export interface JobsDifference {
  added: number
  removed: number
  changed: number
  /** The first hundred of them. */
  jobs: JobChange[]
}

export interface JobChange {
  id: string
  kind: 'added' | 'removed' | 'changed'
  /** Of a changed job, what differs. */
  fields: string[]
  cron: string
  timezone: string
  nextRunAt: number | null
}

/** What would happen if a file were saved with another content. */
export interface CheckResult {
  errors: ManifestError[]
  /** Null when it would not load. */
  difference: JobsDifference | null
  /** False for a file that the manifest does not import. */
  used: boolean
}

/** The packages that the jobs repo's `package.json` asks for. */
export interface PackagesState {
  /** `none` when it asks for nothing that jobs need. */
  status: 'none' | 'installed' | 'installing' | 'failed'
  /** What was run for the last installation since boot; null when there was none. */
  command: string | null
  startedAt: number | null
  finishedAt: number | null
  /** The end of what it printed. */
  output: string
  /** Why it failed, and what to do. */
  error: string | null
  /** It failed for the network or the registry: nothing in the files has to change. */
  offline: boolean
  /** When what failed is tried again by itself; null when it is not. */
  nextTryAt: number | null
}

export type SlotOutcome = 'ran' | 'late' | 'skipped' | 'missed' | 'interrupted'

export interface Slot {
  at: number
  outcome: SlotOutcome
  reason: string | null
  runId: string | null
  /** Where that run stands, or the last attempt after it; null when there was none or it is forgotten. */
  runStatus: RunStatus | null
}

/** With `around`, only the attempts at what that run was an attempt at, and what does it again. */
export interface RunFilter {
  jobId?: string
  status?: RunStatus
  around?: Run
  /** Only those that are older than the place where an earlier list ended: its `next`. */
  after?: number
  limit: number
  offset: number
}

export interface RunList {
  runs: Run[]
  /** Of all that match, wherever this list begins. */
  total: number
  /** Where the list goes on; null at its end. A run that is added meanwhile moves nothing. */
  next: number | null
}

/** Each `from` is included, each `to` or `before` is not. */
export interface LedgerFilter {
  outcome?: SlotOutcome
  from?: number
  to?: number
  decidedFrom?: number
  decidedBefore?: number
  limit: number
}

export interface RepoStatus {
  initialized: boolean
  branch: string | null
  head: { commit: string; message: string; at: number } | null
  dirty: boolean
  /** Why changes are not committed, in words; null when nothing is in the way. */
  obstacle: string | null
  /** The first hundred paths that are in git, and not in the files as they should be. */
  notFetched: readonly NotFetched[]
  /** The first hundred that are in the files, and never in git. */
  notCommitted: readonly NotCommitted[]
  remote: {
    connected: boolean
    url: string | null
    branch: string | null
    /** Commits that the remote is not known to have, also while it is away. */
    ahead: number | null
    unpushed: Unpushed
    behind: number | null
    lastSyncAt: number | null
    /** Why the last sync failed; it is tried again by itself. */
    error: string | null
    /** Null while nothing is connected. */
    nextSyncAt: number | null
    syncing: boolean
    /** Both sides changed the same, and a person has to pick. */
    conflict: Conflict | null
    /** A change of the remote that waits to be confirmed. */
    held: Held | null
  }
}

export interface Engine {
  /** The instance's named secrets. */
  secrets: Secrets
  /** What the jobs remember from run to run. */
  state: Pick<StateStore, 'list' | 'clear'>
  /** The remote of the jobs repo. */
  sync: Sync
  manifest(): ManifestState
  jobs(): Job[]
  /** Those whose id or description has the words of `search` in it, in the manifest's order; `total` counts them all. */
  findJobs(filter: { search?: string; limit: number; offset: number }): { jobs: Job[]; total: number }
  /** The newest `most` runs of each of these jobs, newest first. */
  recentRuns(jobIds: readonly string[], most: number): ReadonlyMap<string, RunBrief[]>
  job(id: string): Job | null
  /**
   * Starts a run of the job as it is now. Throws the Problem `unknown-job`, or `invalid` with each of the parameters that do
   * not fit.
   */
  run(jobId: string, options: { trigger: RunTrigger; params?: Record<string, unknown> }): Run
  /**
   * Makes a run that is over again: its parameters and its due time, with the code that is live now. Null when there
   * is no such run; throws `run-goes-on`, and what `run` does.
   */
  replay(runId: string, trigger: RunTrigger): Run | null
  /** The runs that wait, those first that are to start first. */
  waiting(): WaitingRun[]
  /** Survives a restart. Throws `unknown-job`. */
  setEnabled(jobId: string, enabled: boolean): Job
  /** Newest first. */
  runs(filter: RunFilter): RunList
  getRun(id: string): Run | null
  /** Cancels a queued or running run; a finished one stays as it is. Null when there is none. */
  cancel(runId: string): Promise<Run | null>
  /** What the run wrote so far; '' when it wrote nothing. */
  log(runId: string): string
  /** The same, each line with when it was written and to which stream: see `jobs/log-line.ts`. */
  timedLog(runId: string): string
  /** The same, to be followed and to be read from a position on. */
  openLog(runId: string): OpenLog
  /** Newest first; `total` counts those that were due from `from` to before `to`. */
  slots(
    jobId: string,
    filter: { from?: number; to?: number; limit: number },
  ): { slots: Slot[]; total: number }
  /** Of each of these jobs the newest `most` slots that were due from `from` to before `to`, newest first. */
  recentSlots(
    jobIds: readonly string[],
    filter: { from: number; to: number; most: number },
  ): ReadonlyMap<string, Slot[]>
  /** Slots of all jobs, newest first. `from` and `to` say when they were due, the others when that was decided. */
  ledger(filter: LedgerFilter): (Slot & { jobId: string })[]
  repo(): Promise<RepoStatus>
  /** Makes the jobs repo where there is none; does nothing where there is one. */
  initRepo(): Promise<RepoStatus>
  /** Looks at the files again now, and resolves when what is there is live or refused. */
  reload(): Promise<ManifestState>
  /** Lets the set that is held back go live; does nothing when none is. */
  confirm(): Promise<ManifestState>
  files: RepoFiles
  rawFiles: RawFiles
  /** What lies in a folder of the jobs repo, '' for the repo itself. Throws `unknown-file` or `refused-path`. */
  folder(path: string): FolderList
  history: History
  /**
   * Makes the files those of a commit, as a new commit on top of all others; what was not committed is committed
   * first. Throws `unknown-commit`, or `repo-obstacle` when nothing can be committed.
   */
  revert(commit: string, by: Author): Promise<ManifestState>
  /**
   * Makes a change of the files and looks at them, and resolves when that is live, refused or waits for something.
   * `words` go into its commit. What the change throws is thrown, and then nothing has happened. Without a message,
   * that of an earlier change holds which has not gone live: one commit takes in both.
   */
  edit(words: EditWords, change: () => void): Promise<ManifestState>
  /** The message of a change that has not gone live, and so is in no commit yet; '' for none. */
  waitingMessage(): string
  /** True while a change that was made by `edit` is being loaded. */
  changing(): boolean
  check(file: string, content: string): Promise<CheckResult>
  packages(): PackagesState
  /** Looks at the packages again, also after a failure, and resolves when they are there or cannot be had. */
  installPackages(): Promise<PackagesState>
  /** True once the volume and the database work and the first load of the manifest has ended. */
  ready(): boolean
  /** Each throws in words when something that health depends on does not work. */
  checks: ReadonlyMap<string, () => void | Promise<void>>
  /**
   * Starts no run any more, neither of a schedule nor by hand, and resolves when those that go are over: by
   * themselves within `waitMs`, else interrupted, with `tidyMs` to tidy up. Runs that wait their turn wait for the
   * next runtime, and so do slots that come due.
   */
  drain(limits: { waitMs: number; tidyMs?: number }): Promise<void>
  /** True from then on. */
  stopping(): boolean
  /** Stops schedules, ends runs, closes the database. */
  stop(): Promise<void>
}
