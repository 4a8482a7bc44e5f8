import { parseArgs } from 'node:util'
import { nearest } from '../../src/nearest.ts'

export interface Option {
  /** The name of its value in the help; without one, it is a switch. */
  value?: string
  /** One letter for it: `f` for `-f`. */
  short?: string
  /** May be repeated. */
  many?: boolean
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
  name: string
  /** The argument that it takes, if any. */
  takes: Argument | null
  summary: string
  /** More paragraphs of its help. */
  details: string
  options: Readonly<Record<string, Option>>
}

export interface Arguments {
  /** The argument; '' if there is none. */
  id: string
  flag(name: string): boolean
  text(name: string): string | undefined
  texts(name: string): string[]
}

/** An invalid command line: exit code 2. */
export class UsageError extends Error {}

/** Parses the arguments after the command's name. Throws a UsageError that names the option and what would be right. */
export function readArguments(args: readonly string[], shape: CommandShape): Arguments {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(shape.options).map(([name, option]) => [
        name,
        {
          type: option.value === undefined ? 'boolean' : 'string',
          ...(option.short && { short: option.short }),
        } as const,
      ]),
    ),
    // Its own messages do not say what would be right.
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind === 'option') {
      const value = givenValue(token.name, token.rawName, token.value, token.inlineValue, shape)
      values.set(token.name, [...(values.get(token.name) ?? []), value])
    }
  }
  for (const [name, given] of values) {
    if (given.length > 1 && !shape.options[name]?.many && shape.options[name]?.value)
      throw new UsageError(`--${name} is given ${given.length} times, but only once is allowed`)
  }
  const [id, ...others] = shape.takes ? positionals : ['', ...positionals]
  if (others.length > 0) throw new UsageError(`${shape.name} does not know what to do with "${others[0]}"`)
  const { takes } = shape
  if (id === undefined && takes && !takes.optional && !values.has('help')) {
    throw new UsageError(
      `${shape.name} needs ${takes.words}, such as: longhouse ${shape.name} ${takes.example}`,
    )
  }
  return {
    id: id ?? '',
    flag: name => values.has(name),
    text: name => values.get(name)?.[0],
    texts: name => values.get(name) ?? [],
  }
}

function givenValue(
  name: string,
  written: string,
  value: string | undefined,
  inline: boolean | undefined,
  shape: CommandShape,
): string {
  const option = shape.options[name]
  if (!option) {
    const close = nearest(name, Object.keys(shape.options))
    const hint = close ? `; did you mean --${close}?` : ''
    throw new UsageError(`${shape.name} has no option ${written}${hint}`)
  }
  if (option.value === undefined) {
    if (inline) throw new UsageError(`--${name} takes no value`)
    return ''
  }
  // A value that looks like an option is one; such a value is written --name=-value.
  if (value === undefined || (!inline && value.startsWith('-'))) {
    throw new UsageError(`--${name} needs a value: --${name} ${option.value}`)
  }
  return value
}
