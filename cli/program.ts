import { readFileSync } from 'node:fs'
import { nearest } from '../src/nearest.ts'
import { programRoot } from '../src/root.ts'
import { check } from './check.ts'
import { readArguments, UsageError } from './command/arguments.ts'
import type { Command } from './command/call.ts'
import { CommandError, findJobsFolder } from './command/jobs-folder.ts'
import { type Output, processOutput } from './command/output.ts'
import { helpOf, overview } from './help.ts'
import { login } from './instance/login.ts'
import { logs } from './instance/logs.ts'
import { push } from './instance/push.ts'
import { list } from './list.ts'
import { BrokenManifest, errorLine, zoneOf } from './local-manifest.ts'
import { next } from './next.ts'
import { run } from './run.ts'

const commands: readonly Command[] = [check, list, next, run, login, push, logs]

/** Ctrl-C and similar signals: the first asks the program to end, the second ends it at once. */
export interface Interruption {
  signal: AbortSignal
  atOnce: AbortSignal
}

/** Runs the command line, and resolves with the exit code. */
export async function runCommandLine(args: readonly string[], interruption: Interruption): Promise<number> {
  const output = processOutput()
  const fault = (message: string) => output.note(`${output.noteLook('red', 'longhouse:')} ${message}`)
  try {
    return await perform(args, interruption, output)
  } catch (error) {
    if (interruption.signal.aborted) return 130
    if (error instanceof UsageError) {
      const command = commands.find(each => each.name === args[0])
      fault(error.message)
      output.note(`Try: longhouse ${command ? `${command.name} ` : ''}--help`)
      return 2
    }
    if (!(error instanceof CommandError) && !isOfSystem(error)) throw error
    fault(error.message)
    return 1
  }
}

async function perform(args: readonly string[], interruption: Interruption, output: Output): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const of = commands.find(each => each.name === rest[0])
    output.say(of ? helpOf(of) : overview(commands))
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    output.say((JSON.parse(readFileSync(programRoot('package.json'), 'utf8')) as { version: string }).version)
    return 0
  }
  const command = commands.find(each => each.name === name)
  if (!command) throw unknownCommand(name)
  const given = readArguments(rest, command)
  if (given.flag('help')) {
    output.say(helpOf(command))
    return 0
  }
  const workingDir = process.cwd()
  const timezone = zoneOf(given.text('timezone'))
  const dir = folderFor(command, given.text('dir'), workingDir)
  try {
    return await command.run({
      args: given,
      dir,
      workingDir,
      timezone,
      now: Date.now(),
      output,
      ...interruption,
    })
  } catch (error) {
    if (!(error instanceof BrokenManifest)) throw error
    for (const each of error.errors) output.note(errorLine(each, dir, workingDir))
    return 1
  }
}

function folderFor(command: Command, named: string | undefined, workingDir: string): string {
  try {
    return findJobsFolder(named, workingDir)
  } catch (error) {
    if (!(error instanceof CommandError) || command.needsRepo) throw error
    return workingDir
  }
}

/** A full disk or an unreadable folder is no bug of ours: the message is enough. */
function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

function unknownCommand(name: string): UsageError {
  const names = commands.map(each => each.name)
  const close = nearest(name, names)
  const all = names.join(', ')
  const hint = close ? `did you mean ${close}? The commands are ${all}` : `there are ${all}`
  if (name.startsWith('-')) return new UsageError(`options come after the command; ${hint}`)
  return new UsageError(`there is no command "${name}"; ${hint}`)
}
