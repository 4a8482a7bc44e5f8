import type { Hunk } from './line-diff.ts'

export interface CommitInfo {
  commit: string
  /** Whole. */
  message: string
  at: number
  author: string
  authorEmail: string
  /** Committed by this instance, and not elsewhere. */
  madeHere: boolean
}

export const fileChangeKinds = ['added', 'removed', 'changed'] as const

export interface FileChange {
  path: string
  kind: (typeof fileChangeKinds)[number]
  hunks: Hunk[]
  /** Why no lines are shown. */
  note: string | null
}

export interface CommitDetails extends CommitInfo {
  /** What it changed of its first parent. */
  files: FileChange[]
  /** True if it changed more files than are listed. */
  more: boolean
}

/** What the history program is asked, one question a process. */
export type HistoryRequest = { dir: string } & (
  | { op: 'list'; limit: number; before: string | null }
  | { op: 'show'; commit: string }
  /** Makes the files those of the commit, without committing anything. */
  | { op: 'restore'; commit: string }
)

export interface HistoryAnswers {
  list: { commits: CommitInfo[]; more: boolean }
  show: CommitDetails | null
  restore: {
    found: boolean
    /** Something that is in no commit, in the place of one of its files: then nothing was changed. */
    inTheWay: string | null
  }
}

export type HistoryAnswer = { ok: HistoryAnswers[keyof HistoryAnswers] } | { error: string }
