import type { Arguments, CommandShape } from './arguments.ts'
import type { Output } from './output.ts'

/** One call of a command. */
export interface Call {
  args: Arguments
  /** The jobs repo, absolute and without links. */
  dir: string
  /** Where we were called. */
  workingDir: string
  /** For jobs that name no zone. */
  timezone: string
  /** Milliseconds since the epoch. */
  now: number
  output: Output
  /** Aborted by Ctrl-C or a signal that ends us. */
  signal: AbortSignal
  /** Aborted when that is not quick enough for them: the second time. */
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
