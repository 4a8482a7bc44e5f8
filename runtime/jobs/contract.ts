import type { Author } from '../git/authors.ts'
import type { ManifestError } from '../manifest/manifest-error.ts'
import type { NotifySpec } from '../manifest/notify.ts'
import type { catchUps, interruptRules, overlaps } from '../manifest/policies.ts'
import type { ParamsSpec } from '../params/params.ts'
import type { OpenLog } from '../runner/open-log.ts'
import type { RunTrigger } from '../runner/run-protocol.ts'
import type { JobsDifference, ManifestState } from './manifest-state.ts'

export type { ManifestError } from '../manifest/manifest-error.ts'
export type { NotifySpec } from '../manifest/notify.ts'
export { catchUps, interruptRules, overlaps } from '../manifest/policies.ts'
export type { LogLine } from '../runner/log-line.ts'
export type { OpenLog } from '../runner/open-log.ts'
export { type RunTrigger, runTriggers } from '../runner/run-protocol.ts'
export type { JobChange, JobsDifference, ManifestState } from './manifest-state.ts'
export {
  differenceJson,
  differenceShape,
  manifestErrorShape,
  manifestJson,
  manifestShape,
} from './manifest-wire.ts'

/** How a run can end. */
export const runEndings = ['succeeded', 'failed', 'timed_out', 'cancelled', 'interrupted'] as const
export const runStatuses = ['queued', 'running', ...runEndings] as const
export type RunStatus = (typeof runStatuses)[number]

export interface Run {
  id: string
  jobId: string
  status: RunStatus
  trigger: RunTrigger
  /** The slot that this run is for; null when a person or a script started it. */
  slot: number | null
  attempt: number
  /** The commit of the jobs repo whose code the run executes. */
  commit: string | null
  /** The parameters as they were given; the schema of the job may transform them. */
  params: Record<string, unknown>
  /** The run that this one replays. */
  replayOf: string | null
  /** The first attempt, when this is another one. */
  attemptOf: string | null
  /** The earliest start of another attempt. */
  notBefore: number | null
  queuedAt: number
  startedAt: number | null
  finishedAt: number | null
  durationMs: number | null
  /** What the job returned, as JSON. */
  result: unknown
  error: { message: string; stack: string | null } | null
}

/** A queued run. */
export interface WaitingRun {
  id: string
  /** Why it does not start yet. */
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
  /** The parameters of its runs; null when they take anything. */
  params: ParamsSpec | null
  /** Names of the secrets for its runs. */
  secrets: readonly string[]
  /** Secrets that are not set or cannot be read: no run starts without them. */
  missingSecrets: readonly string[]
}

/** Times are milliseconds. */
export interface JobPolicies {
  timeoutMs: number
  /** The memory limit of a run and its children, and whether the job sets it. */
  memory: { bytes: number; own: boolean }
  catchUp: (typeof catchUps)[number]
  catchUpWindowMs: number
  overlap: (typeof overlaps)[number]
  retry: { attempts: number; delayMs: number; factor: number; maxDelayMs: number; jitter: number } | null
  onInterrupt: (typeof interruptRules)[number]
  concurrencyKey: string | null
}

/** The effect of saving a file with another content. */
export interface CheckResult {
  errors: ManifestError[]
  /** Null if it would not load. */
  difference: JobsDifference | null
  /** False for a file that the manifest does not import. */
  used: boolean
}

export const slotOutcomes = ['ran', 'late', 'skipped', 'missed', 'interrupted'] as const
/** The result of a due time. */
export type SlotOutcome = (typeof slotOutcomes)[number]

export interface Slot {
  at: number
  outcome: SlotOutcome
  reason: string | null
  runId: string | null
  /** The status of that run, or of the last attempt after it; null if there was none or it was deleted. */
  runStatus: RunStatus | null
}

/** With `around`, only the attempts and replays related to that run. */
export interface RunFilter {
  jobId?: string
  status?: RunStatus
  around?: Run
  /** Only runs older than the end of a previous list: its `next`. */
  after?: number
  limit: number
  offset: number
}

export interface RunList {
  runs: Run[]
  /** Number of all matches, wherever this list starts. */
  total: number
  /** Where the list continues; null at its end. New runs do not shift it. */
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
/** The commit message and author of a change. */
export interface EditWords {
  message: string
  by: Author
  /** A change that frees space, which is possible without any left. */
  frees?: boolean
}

/** The state of the manifest, and loading it. */
export interface ManifestService {
  state(): ManifestState
  /** When each of these commits went live, the last time; those that never did are left out. */
  liveSince(commits: readonly string[]): ReadonlyMap<string, number>
  /** True once the first load after boot has ended. */
  ready(): boolean
  /** Resolves once it is. */
  whenReady(): Promise<void>
  /**
   * Loads the files if they differ from the last load. One load at a time; requests during a load share one after it.
   */
  load(): Promise<ManifestState>
  /** Loads the files even if nothing seems to have changed. Resolves when they are live or refused. */
  reload(): Promise<ManifestState>
  /** Confirms a set of jobs that waits for it; does nothing if there is none. */
  confirm(): Promise<ManifestState>
  /** Changes the files while nothing is loaded or committed, and loads them afterwards. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Ids of the jobs that another copy of the repo registers, built in `scratch`; null if it does not load. */
  jobsIn(folder: string, scratch: string): Promise<string[] | null>
}

/** The registered jobs. */
export interface JobList {
  all(): Job[]
  /** Jobs whose id or description contains every word of `search`, in the manifest's order; `total` counts them all. */
  find(filter: { search?: string; limit: number; offset: number }): { jobs: Job[]; total: number }
  one(id: string): Job | null
  /** The job of that id. Throws the Problem `unknown-job`. */
  known(id: string): Job
  /** The id of a job that is registered or has a history. Throws `unknown-job`. */
  everKnown(id: string): string
  ids(): string[]
  /** Survives a restart. Throws `unknown-job`. */
  setEnabled(jobId: string, enabled: boolean): Job
}

/** Runs: starting, finding and ending them. */
export interface Runs {
  /**
   * Starts a run of the job's current version. Throws the Problem `unknown-job`, or `invalid` with each invalid
   * parameter.
   */
  start(jobId: string, options: { trigger: RunTrigger; params?: Record<string, unknown> }): Run
  /**
   * Replays a finished run: with its parameters, its due time and the live code. Null if there is no such run; throws
   * `run-goes-on`, and what `start` does.
   */
  replay(runId: string, trigger: RunTrigger): Run | null
  /** Cancels a queued or running run; a finished one is unchanged. Null if there is none. */
  cancel(runId: string): Promise<Run | null>
  find(id: string): Run | null
  /** Newest first. */
  list(filter: RunFilter): RunList
  /** The newest `most` runs of each of these jobs, newest first. */
  recent(jobIds: readonly string[], most: number): ReadonlyMap<string, RunBrief[]>
  /** The queued runs, in the order in which they are to start. */
  waiting(): WaitingRun[]
  /** Resolves when the run is over, the signal aborts, or the program stops. */
  end(runId: string, signal: AbortSignal): Promise<void>
}

/** The first line of a run's log or error that matches a search, numbered from 1. */
export interface LogMatch {
  in: 'log' | 'error'
  line: number
  text: string
}

export interface FoundRun {
  run: Run
  match: LogMatch
}

/** Logs of runs. */
export interface RunLogs {
  /**
   * Finds the runs of a job whose log or error contains the words, ignoring case, newest first. `complete` is false
   * if time ran out before every run was searched.
   */
  search(wanted: {
    jobId: string
    words: string
    limit: number
    offset: number
  }): Promise<{ found: FoundRun[]; total: number; complete: boolean }>
  /** The log so far; '' if it is empty. */
  text(runId: string): string
  /** The log with the time and stream of each line: see `runner/log-line.ts`. */
  timed(runId: string): string
  /** The log, to be followed and to be read from a position on. */
  open(runId: string): OpenLog
}

/** Results of slots. */
export interface Slots {
  /** Newest first; `total` counts those that were due from `from` to before `to`. */
  list(jobId: string, filter: { from?: number; to?: number; limit: number }): { slots: Slot[]; total: number }
  /** The newest `most` slots of each job that were due from `from` to before `to`, newest first. */
  recent(
    jobIds: readonly string[],
    filter: { from: number; to: number; most: number },
  ): ReadonlyMap<string, Slot[]>
  /** Slots of all jobs, newest first. `from` and `to` say when they were due, the others when that was decided. */
  ledger(filter: LedgerFilter): (Slot & { jobId: string })[]
}

/** Changes of the files by people, with their commit messages. */
export interface Edits {
  /**
   * Changes the files and loads them; resolves when the change is live, refused or waiting. If `change` throws,
   * nothing happened and the error is rethrown. Without a message, the message of an earlier change that is not live
   * yet stays: one commit contains both.
   */
  edit(words: EditWords, change: () => void): Promise<ManifestState>
  /** The message of a change that is not live, and so not committed yet; '' for none. */
  waitingMessage(): string
  /** True while a change that `edit` made is being loaded. */
  changing(): boolean
  /**
   * Restores the files of a commit, as a new commit on top of all others; uncommitted changes are committed first.
   * Throws `unknown-commit`, or `repo-obstacle` if nothing can be committed.
   */
  revert(commit: string, by: Author): Promise<ManifestState>
  /**
   * Makes a file what it is in the last commit. `hash` names the content of the edit that is lost with it; an edit made
   * since is kept. Throws `no-edit`, `file-changed`, or `repo-obstacle`.
   */
  discard(path: string, hash: string | null): Promise<ManifestState>
  /** Returns the effect of saving the file with this content. */
  check(file: string, content: string): Promise<CheckResult>
}

export interface JobsService {
  manifest: ManifestService
  list: JobList
  runs: Runs
  logs: RunLogs
  slots: Slots
  edits: Edits
  /** `starting` until the schedule runs, `stopping` once no run starts any more. */
  phase(): 'starting' | 'running' | 'stopping'
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    jobs: JobsService
  }
  interface Hooks {
    /** Awaited before the first load: finishes what a kill interrupted. */
    'before-first-load': () => Promise<void>
  }
  interface Events {
    /** The head of the jobs repo after a commit of the live files. */
    'commit-made': { commit: string }
    /** The first load of the manifest after boot has ended, successfully or not. */
    'first-load-ended': Record<never, never>
  }
}
