import type { RunStatusName, SlotOutcomeName } from '../components/status.tsx'
import type { DifferenceView } from './difference.tsx'

/** What the instance's pages are told. Times are milliseconds since the epoch. */

export interface RunView {
  id: string
  jobId: string
  status: RunStatusName
  trigger: 'schedule' | 'manual' | 'api'
  slot: number | null
  attempt: number
  commit: string | null
  params: Readonly<Record<string, unknown>>
  /** The run that this one does again. */
  replayOf: string | null
  /** Of another attempt, the first one. */
  attemptOf: string | null
  /** A queued run does not start before then. */
  notBefore: number | null
  queuedAt: number
  startedAt: number | null
  finishedAt: number | null
  durationMs: number | null
  result: unknown
  error: { message: string; stack: string | null } | null
}

/** How a run waits for its turn. */
export interface WaitView {
  /** From 1 on. */
  position: number
  reason: string
}

export interface JobView {
  id: string
  cron: string
  timezone: string
  description: string
  enabled: boolean
  source: { file: string; line: number } | null
  nextRunAt: number | null
  lastRun: RunView | null
  policies: PoliciesView
  notify: NotifyView
  /** Null when it says nothing of parameters. */
  params: { schema: Readonly<Record<string, unknown>> } | null
  /** Those that it declares. */
  secrets: readonly string[]
  /** Those of them that are not set or cannot be read. */
  missingSecrets: readonly string[]
}

/** Times are milliseconds. */
export interface PoliciesView {
  timeoutMs: number
  /** What a run may hold, and whether the job itself says so. */
  memory: { bytes: number; own: boolean }
  catchUp: 'none' | 'latest' | 'all'
  catchUpWindowMs: number
  overlap: 'skip' | 'queue' | 'replace'
  retry: { attempts: number; delayMs: number; factor: number; maxDelayMs: number; jitter: number } | null
  onInterrupt: 'fail' | 'rerun'
  concurrencyKey: string | null
}

/** Null is as the settings say, and false never. */
export interface NotifyView {
  failures: number | false | null
  longRun: number | false | null
  overdue: boolean
  missed: boolean
  emails: readonly string[] | null
  webhook: string | null
}

export interface ManifestView {
  status: 'ok' | 'error' | 'loading'
  commit: string | null
  loadedAt: number | null
  errors: readonly ManifestErrorView[]
  waitingFor: 'packages' | 'registry' | 'confirmation' | null
  /** While it waits for the registry, when that is asked again. */
  nextTryAt: number | null
  /** What the last load changed, or what one that is held back would change. */
  difference: DifferenceView | null
}

export interface ManifestErrorView {
  file: string | null
  line: number | null
  column: number | null
  message: string
  /** The lines around the place, when they could be read. */
  excerpt: { first: number; lines: readonly string[] } | null
}

export interface SlotView {
  at: number
  outcome: SlotOutcomeName
  reason: string | null
  runId: string | null
  /** What its run came to, with all attempts. */
  runStatus: RunStatusName | null
}

export interface RepoView {
  initialized: boolean
  branch: string | null
  head: { commit: string; message: string; at: number } | null
  dirty: boolean
  /** Why changes are not committed. */
  obstacle: string | null
  /** In git, and not in the files. */
  notFetched: readonly { path: string; kind: 'submodule' | 'lfs' | 'packages' }[]
  /** In the files, and never in git. */
  notCommitted: readonly { path: string; kind: 'name' | 'repository' | 'environment' }[]
  remote: RemoteView
}

export interface RemoteView {
  connected: boolean
  url: string | null
  branch: string | null
  ahead: number | null
  /** The newest of the commits that the remote is not known to have. */
  unpushed: { commits: readonly { commit: string; message: string; at: number; author: string }[] }
  behind: number | null
  lastSyncAt: number | null
  error: string | null
  nextSyncAt: number | null
  syncing: boolean
  /** Both sides changed the same; texts are null where there is no such file, or no text. */
  conflict: {
    kind: 'edits' | 'rewritten'
    theirs: string
    sideBranch: string | null
    files: readonly { path: string; ours: string | null; theirs: string | null }[]
  } | null
  /** What the remote would take away, and waits. */
  held: { theirs: string; removes: readonly string[]; of: number } | null
}

export const isOver = (run: RunView): boolean => run.status !== 'queued' && run.status !== 'running'

/** The first line of a run that holds what was searched for. */
export interface MatchView {
  in: 'log' | 'error'
  line: number
  text: string
}
