import type { Arguments, CommandShape } from './arguments.ts'
import type { Output } from './output.ts'

/** One invocation of a command. */
export interface Call {
  args: Arguments
  /** The jobs repo: absolute, without links. */
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
  /** Resolves with the exit code. */
  run(call: Call): Promise<number>
}

/** The options that every command has. */
export const commonOptions = {
  dir: { value: '<folder>', words: 'the jobs repo; by default the current folder or one above it' },
  timezone: {
    value: '<zone>',
    words: 'for jobs without a zone; by default LONGHOUSE_TIMEZONE, else UTC',
  },
  help: { words: 'shows help for this command' },
} as const
