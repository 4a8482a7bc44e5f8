import type { PackLimits } from '../packs/stored-objects.ts'
import type { Refusal } from './refusals.ts'

/** Requests to the receiving program. Object ids are full hexadecimal. */
export type ReceiveQuestion =
  /**
   * Reads a pack from the standard input into the repository `repo`, and checks it: complete, on top of `from`, within
   * the limits, and nothing in it that no jobs repo may contain.
   */
  | { op: 'unpack'; repo: string; from: string; to: string }
  /** Moves what was received into the jobs repo, and checks it out. */
  | { op: 'take'; repo: string; branch: string; from: string; to: string }
  /** Puts many small packs and objects together, and deletes the marked packs of these names. */
  | { op: 'repack'; repo: string; limits: PackLimits; drop: readonly string[] }

export interface PushedChange {
  path: string
  kind: 'added' | 'removed' | 'changed'
}

export interface ReceiveAnswers {
  unpack: { refused: Refusal } | { refused: null; commits: number; changes: PushedChange[] }
  take: { refused: Refusal | null }
  /** How many packs were put together. */
  repack: { packs: number }
}

export type ReceiveRequest = ReceiveQuestion & { id: number; dir: string }
export type ReceiveReply = { id: number } & ({ ok: ReceiveAnswers[keyof ReceiveAnswers] } | { error: string })
