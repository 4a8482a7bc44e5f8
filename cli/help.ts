import type { Option } from './command/arguments.ts'
import type { Command } from './command/call.ts'
import { table } from './command/output.ts'

export function overview(commands: readonly Command[]): string {
  return [
    'longhouse: check and run the jobs of a jobs repo on this machine, and send them to their instance.',
    '',
    'Usage: longhouse <command> [options]',
    '',
    ...indented(commands.map(each => [`${each.name}${argumentText(each)}`, each.summary])),
    '',
    'longhouse <command> --help shows more; --version prints the version.',
    'Exit codes: 0 success, 1 an error or a failed run, 2 a wrong command line.',
  ].join('\n')
}

export function helpOf(command: Command): string {
  const { name, summary, details, options } = command
  return [
    `longhouse ${name}: ${summary}`,
    '',
    `Usage: longhouse ${name}${argumentText(command)} [options]`,
    '',
    ...wrapped(details),
    '',
    ...indented(Object.entries(options).map(([option, spec]) => [optionText(option, spec), spec.words])),
  ].join('\n')
}

function argumentText({ takes }: Command): string {
  if (!takes) return ''
  return takes.optional ? ` [${takes.name}]` : ` <${takes.name}>`
}

function optionText(name: string, { value, short }: Option): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
}

function indented(rows: string[][]): string[] {
  return table(rows, null).map(line => `  ${line}`)
}

function wrapped(text: string): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line.length + word.length >= 100) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
