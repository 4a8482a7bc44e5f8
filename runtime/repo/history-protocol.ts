import type { HistoryAnswers } from './contract.ts'

/** Requests to the history program, one per process. */
export type HistoryRequest = { dir: string } & (
  | { op: 'list'; limit: number; before: string | null }
  | { op: 'show'; commit: string }
  | { op: 'file'; commit: string; path: string }
  /** Makes the files those of the commit, without committing. */
  | { op: 'restore'; commit: string }
  /** The files that differ from HEAD. */
  | { op: 'uncommitted' }
  /** Makes one of them what it is in HEAD, if it still is what `hash` says. */
  | { op: 'discard'; path: string; hash: string | null }
)

export type HistoryAnswer = { ok: HistoryAnswers[keyof HistoryAnswers] } | { error: string }
