/**
 * Standard output and standard error are two pipes, and which of them is read first is chance. So the process of a run
 * writes a barrier into both pipes when it switches from one to the other, and when a program that it started may have
 * written in between. What stands before a barrier in one pipe was written before what stands behind it in the other.
 * The runtime takes the barriers out again.
 */
export interface Barrier {
  /** Counts from 1. */
  number: number
  /** The file that the process writes to next, 1 or 2. */
  next: OutputFile
}

export type OutputFile = 1 | 2

/** The beginning of an escape sequence that no terminal shows. `mark` is that of the process. */
export function barrierBeginning(mark: string): string {
  return `\x1b_${mark};`
}

const ending = '\x1b\\'

export function barrierText(mark: string, { number, next }: Barrier): string {
  return `${barrierBeginning(mark)}${number};${next}${ending}`
}

/** The most characters that follow the beginning. */
const longestRest = 24

/**
 * Reads the barrier whose beginning ends at `from`, and returns it with the position after it; 'unfinished' when its
 * end has not come yet, 'none' when something else stands there.
 */
export function barrierAt(
  bytes: Buffer,
  from: number,
): { barrier: Barrier; to: number } | 'unfinished' | 'none' {
  const rest = bytes.toString('latin1', from, from + longestRest)
  const [whole, number, next] = /^(\d{1,15});([12])/.exec(rest) ?? []
  if (whole === undefined) return /^\d{0,15};?$/.test(rest) ? 'unfinished' : 'none'
  const after = rest.slice(whole.length)
  if (!after.startsWith(ending)) return ending.startsWith(after) ? 'unfinished' : 'none'
  const barrier = { number: Number(number), next: Number(next) as OutputFile }
  return { barrier, to: from + whole.length + ending.length }
}
