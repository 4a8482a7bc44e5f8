import type { Option } from './arguments.ts'
import type { Command } from './call.ts'
import { table } from './output.ts'

export function overview(commands: readonly Command[]): string {
  return [
    'longhouse-jobs: check and run the jobs of a jobs repo on this machine, with the code of an instance.',
    '',
    'Usage: longhouse-jobs <command> [options]',
    '',
    ...indented(commands.map(each => [`${each.name}${each.takesId ? ' <id>' : ''}`, each.summary])),
    '',
    'longhouse-jobs <command> --help shows more; --version prints the version.',
    'Exit codes: 0 success, 1 an error or a failed run, 2 a wrong command line.',
  ].join('\n')
}

export function helpOf({ name, takesId, summary, details, options }: Command): string {
  return [
    `longhouse-jobs ${name}: ${summary}`,
    '',
    `Usage: longhouse-jobs ${name}${takesId ? ' <id>' : ''} [options]`,
    '',
    ...wrapped(details),
    '',
    ...indented(Object.entries(options).map(([option, spec]) => [optionText(option, spec), spec.words])),
  ].join('\n')
}

function optionText(name: string, { value }: Option): string {
  return `--${name}${value ? ` ${value}` : ''}`
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
