import { readFileSync } from 'node:fs'
import { programRoot } from '../src/root.ts'
import { check } from './check.ts'
import { UsageError } from './command/arguments.ts'
import type { Command } from './command/call.ts'
import { CommandError, findJobsFolder } from './command/jobs-folder.ts'
import { type Output, processOutput } from './command/output.ts'
import { type Program, readCommandLine } from './command/parser.ts'
import { completion, completionsOf } from './completion.ts'
import { login } from './instance/login.ts'
import { push } from './instance/push.ts'
import { list } from './list.ts'
import { BrokenManifest, errorLine, zoneOf } from './local-manifest.ts'
import { logs } from './logs.ts'
import { next } from './next.ts'
import { operatorCommands } from './operator/commands.ts'
import { run } from './run.ts'

const commands = [
  ...grouped('Jobs, in a jobs repo:', [check, list, next, run, login, push, logs]),
  ...Object.entries(operatorCommands).flatMap(([group, some]) => grouped(`${group}, for operators:`, some)),
  ...grouped('This command:', [completion]),
]

const program: Omit<Program<Command>, 'columns'> = {
  name: 'longhouse',
  description:
    'Checks and runs the jobs of a jobs repo on this machine, and sends them to their instance. For operators: manages the instances of a control plane.',
  version: () =>
    (JSON.parse(readFileSync(programRoot('package.json'), 'utf8')) as { version: string }).version,
  footer:
    'longhouse <command> --help shows more.\n' +
    'Exit codes: 0 success; 1 an error, a failed run or a failed operation; 2 a wrong command line; 3 still in progress ' +
    'when the time of --timeout is over; 130 interrupted.',
  commands,
}

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
      const command = commands.find(({ name }) => name === args[0])
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
  // What the shells' completion asks: the words of the line, the unfinished last one included.
  if (args[0] === 'complete' && args[1] === '--') {
    for (const each of await completionsOf(args.slice(2), commands, interruption.signal)) output.say(each)
    return 0
  }
  const columns = Math.min(output.columns ?? 100, 120)
  const request = readCommandLine(args, { ...program, columns })
  if ('text' in request) {
    output.say(request.text)
    return args.length === 0 ? 2 : 0
  }
  const { command, args: given } = request
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

function grouped(group: string, some: readonly Command[]) {
  return some.map(command => ({ ...command, group }))
}
