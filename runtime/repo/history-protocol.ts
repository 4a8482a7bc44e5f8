import type { HistoryAnswers } from './contract.ts'

/** What the history program is asked, one question a process. */
export type HistoryRequest = { dir: string } & (
  | { op: 'list'; limit: number; before: string | null }
  | { op: 'show'; commit: string }
  /** Makes the files those of the commit, without committing anything. */
  | { op: 'restore'; commit: string }
)

export type HistoryAnswer = { ok: HistoryAnswers[keyof HistoryAnswers] } | { error: string }
