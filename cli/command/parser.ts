import { Command as Parser, Option as ParserOption } from 'commander'
import { nearest } from '../../src/nearest.ts'
import { type Arguments, type CommandShape, type Option, UsageError } from './arguments.ts'

/** What a command line asks for: a command with its arguments, or a text, such as help. */
export type Request<C extends CommandShape> = { command: C; args: Arguments } | { text: string }

export interface Program<C extends CommandShape> {
  name: string
  description: string
  version: () => string
  /** Below the list of commands. */
  footer: string
  commands: readonly (C & { group: string })[]
  /** The width of help, in characters. */
  columns: number
}

/**
 * Reads a command line. Throws a UsageError that names the option or argument, and what would be right.
 * Without any arguments, the request is the help.
 */
export function readCommandLine<C extends CommandShape>(
  line: readonly string[],
  program: Program<C>,
): Request<C> {
  let request: Request<C> | undefined
  let written = ''
  const root = new ShapedParser(program.name)
    .description(program.description)
    .version(line.includes('--version') ? program.version() : '', '--version', 'prints the version')
    .helpOption('-h, --help', 'shows help')
    .helpCommand('help [command]', 'shows help for a command')
    .addHelpText('after', `\n${program.footer}`)
  for (const command of program.commands) {
    const at = command.name.split(' ')
    const name = at.at(-1) ?? ''
    const above = at.length > 1 ? root.below(at[0] ?? '') : root
    above.add(command, name, (args: Arguments) => {
      request = { command, args }
    })
  }
  root.prepare({
    columns: program.columns,
    write: text => {
      written += text
    },
  })
  try {
    if (line.length === 0) root.outputHelp()
    else root.parse(line, { from: 'user' })
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code, message } = error as { code?: string; message: string }
    if (!code?.startsWith('commander.')) throw error
    if (!/\.(help|helpDisplayed|version)$/.test(code)) throw new UsageError(message.replace(/^error: /, ''))
  }
  return request ?? { text: written.trimEnd() }
}

/** The library's parser, with our own words for what is wrong: its own do not say what would be right. */
class ShapedParser extends Parser {
  private shape: CommandShape | null = null
  /** What it was asked to parse: the library does not say whether a value stood behind `=`. */
  private line: readonly string[] = []

  override createCommand(name?: string): ShapedParser {
    return new ShapedParser(name)
  }

  below(name: string): ShapedParser {
    return this.commands.find(each => each.name() === name) as ShapedParser
  }

  add(shape: CommandShape & { group: string }, name: string, chosen: (args: Arguments) => void): void {
    const parser = this.command(name) as ShapedParser
    parser.shape = shape
    parser.summary(shape.summary).description(`${sentence(shape.summary)}\n\n${shape.details}`)
    parser.helpGroup(shape.group).helpCommand(false).helpOption('-h, --help', 'shows help for this command')
    for (const { name: argument, words, optional } of shape.takes)
      parser.argument(optional ? `[${argument}]` : `<${argument}>`, words)
    for (const [option, spec] of Object.entries(shape.options)) parser.addOption(optionOf(option, spec))
    parser.action(() => chosen(parser.given()))
  }

  /** To be called when all commands are there. */
  prepare({ columns, write }: { columns: number; write: (text: string) => void }): void {
    this.enablePositionalOptions()
      .exitOverride()
      .configureOutput({
        writeOut: write,
        writeErr: write,
        outputError: () => {},
        getOutHelpWidth: () => columns,
        getErrHelpWidth: () => columns,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
      .configureHelp({
        minWidthToWrap: 20,
        subcommandTerm: command => [command.name(), ...command.registeredArguments.map(termOf)].join(' '),
      })
    for (const each of this.commands as readonly ShapedParser[]) each.prepare({ columns, write })
  }

  override parse(line: readonly string[], options?: { from: 'user' }): this {
    const keep = (parser: ShapedParser) => {
      parser.line = line
      for (const each of parser.commands) keep(each as ShapedParser)
    }
    keep(this)
    return super.parse(line, options)
  }

  private given(): Arguments {
    const values = this.opts<Record<string, boolean | string[] | undefined>>()
    const of = (name: string) => values[attribute(name)]
    const texts = (name: string) => {
      const value = of(name)
      return Array.isArray(value) ? value : []
    }
    for (const [name, { many, value, choices, signed = false }] of Object.entries(
      this.shape?.options ?? {},
    )) {
      const all = texts(name)
      if (all.length > 1 && !many)
        throw new UsageError(`--${name} is given ${all.length} times, but only once is allowed`)
      for (const text of all) {
        // A value that looks like an option is one; such a value is written --name=-value.
        if (text.startsWith(signed ? '--' : '-') && !this.line.includes(`--${name}=${text}`))
          throw new UsageError(`--${name} needs a value: --${name} ${value}`)
        if (choices && !choices.includes(text))
          throw new UsageError(`--${name}: "${text}" is none of ${choices.join(', ')}`)
      }
    }
    return {
      id: this.args[0] ?? '',
      word: index => this.args[index],
      flag: name => of(name) !== undefined,
      text: name => texts(name)[0],
      texts,
    }
  }

  missingArgument(name: string): never {
    const { shape } = this
    const takes = shape?.takes.find(each => each.name === name)
    const examples = shape?.takes.filter(each => !each.optional).map(each => each.example) ?? []
    throw new UsageError(
      `${shape?.name} needs ${takes?.words}, such as: longhouse ${shape?.name} ${examples.join(' ')}`,
    )
  }

  optionMissingArgument(option: ParserOption): never {
    throw new UsageError(`${option.long} needs a value: ${option.flags.replace(/^-\w, /, '')}`)
  }

  unknownOption(flag: string): never {
    const { shape } = this
    if (!shape) throw new UsageError(`options come after the command; ${this.commandHint(flag)}`)
    const [name = ''] = flag.replace(/^--?/, '').split('=')
    if (flag.includes('=') && (shape.options[name] || name === 'help'))
      throw new UsageError(`--${name} takes no value`)
    const close = flag.startsWith('--') ? nearest(name, [...Object.keys(shape.options), 'help']) : null
    throw new UsageError(
      `${shape.name} has no option ${flag.split('=')[0]}${close ? `; did you mean --${close}?` : ''}`,
    )
  }

  unknownCommand(): never {
    const name = this.args[0] ?? ''
    throw new UsageError(`there is no command "${name}"; ${this.commandHint(name)}`)
  }

  _excessArguments(given: readonly string[]): void {
    const { shape } = this
    const extra = given[shape?.takes.length ?? 0]
    const below = this.commands.map(each => `${shape?.name} ${each.name()}`)
    const hint = below.length > 0 ? `; there is ${below.join(', ')}` : ''
    throw new UsageError(`${shape?.name} does not know what to do with "${extra}"${hint}`)
  }

  private commandHint(name: string): string {
    const names = this.commands.map(each => each.name())
    const close = nearest(name, names)
    const all = names.join(', ')
    return close ? `did you mean ${close}? The commands are ${all}` : `there are ${all}`
  }
}

function optionOf(name: string, { value, short, words, choices }: Option): ParserOption {
  const flags = `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
  const option = new ParserOption(flags, choices ? `${words}: ${choices.join(', ')}` : words)
  // All of them are collected, so that a second one is noticed.
  return value ? option.argParser((text, before: string[] = []) => [...before, text]) : option
}

/** The name under which the library keeps an option. */
function attribute(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function termOf(argument: { required: boolean; name(): string }): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}
