import type { Argument, Arguments, CommandShape } from './arguments.ts'
import type { Output } from './output.ts'

/** One invocation of a command. */
export interface Call {
  args: Arguments
  /**
   * The jobs repo: absolute, without links. For a command that does not need one, it may be the current folder instead.
   */
  dir: string
  /** The current folder. */
  workingDir: string
  /** The zone of jobs without one. */
  timezone: string
  /** Milliseconds since the epoch. */
  now: number
  output: Output
  /** Aborted by Ctrl-C or a signal that ends us. */
  signal: AbortSignal
  /** Aborted by the second Ctrl-C. */
  atOnce: AbortSignal
}

export interface Command extends CommandShape {
  /** It works on the files of a jobs repo. */
  needsRepo: boolean
  /** Resolves with the exit code. */
  run(call: Call): Promise<number>
}

/** The options that every command on a jobs repo has. */
export const commonOptions = {
  dir: { value: '<folder>', words: 'the jobs repo; by default the current folder or one above it' },
  timezone: {
    value: '<zone>',
    words: 'for jobs without a zone; by default LONGHOUSE_TIMEZONE, else UTC',
  },
} as const

/** The options of a command about an instance. */
export const instanceOptions = { dir: commonOptions.dir } as const

export const jobArgument: Argument = { name: 'id', words: 'the id of a job', example: 'daily-digest' }
