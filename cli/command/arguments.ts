export interface Option {
  /** The name of its value in the help; without one, it is a switch. */
  value?: string
  /** One letter for it: `f` for `-f`. */
  short?: string
  /** May be repeated. */
  many?: boolean
  /** Its value may begin with one `-`. */
  signed?: boolean
  /** The values that it may have. */
  choices?: readonly string[]
  words: string
}

/** An argument without a name in front. */
export interface Argument {
  /** As the help names it: `id`. */
  name: string
  /** For the error if it is missing: the id of a job. */
  words: string
  example: string
  optional?: boolean
}

export interface CommandShape {
  /** One word; or two, for a command below another: `tokens create`. */
  name: string
  /** The arguments that it takes, in order. */
  takes: readonly Argument[]
  summary: string
  /** More paragraphs of its help. */
  details: string
  options: Readonly<Record<string, Option>>
}

export interface Arguments {
  /** The first argument; '' if there is none. */
  id: string
  /** The argument at a place, from 0; undefined if there is none. */
  word(index: number): string | undefined
  flag(name: string): boolean
  text(name: string): string | undefined
  texts(name: string): string[]
}

/** An invalid command line: exit code 2. */
export class UsageError extends Error {}
