import { stdin } from 'node:process'
import { type Argument, type Option, UsageError } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago } from './control/look.ts'
import { instanceArgument } from './instance.ts'
import { operate } from './operation.ts'
import { done } from './waiting.ts'

interface EnvironmentJson {
  variables: { name: string; value: string | null; updated_at: string; updated_by: string | null }[]
  applies_at_next_restart: boolean
}

const nameArgument: Argument = { name: 'name', words: 'the name of a variable', example: 'API_HOST' }
const restartOption: Readonly<Record<string, Option>> = {
  restart: { words: 'restarts the instance, so that it applies at once' },
}

const list: Command = {
  name: 'env',
  takes: [instanceArgument],
  needsRepo: false,
  summary: 'lists the environment variables that operators set for an instance',
  details: 'Only values of plain variables are shown.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<EnvironmentJson>('getAdminInstanceEnvironment', {
      path: { subdomain: args.id },
    })
    if (args.flag('json')) {
      output.json(shown)
      return done
    }
    const rows = shown.variables.map(each => [
      each.name,
      each.value ?? '(secret)',
      ago(each.updated_at, now),
      each.updated_by ?? '',
    ])
    if (rows.length > 0) sayTable(output, ['NAME', 'VALUE', 'SET', 'BY'], rows)
    else output.note(`No variables are set for ${args.id}.`)
    if (shown.applies_at_next_restart) output.note('It runs with other ones until it is restarted.')
    return done
  },
}

const set = operate('env set', 'setInstanceVariable', {
  takes: [instanceArgument, nameArgument],
  summary: 'sets an environment variable of an instance; its value comes on standard input',
  details:
    'Not as an argument, because other users of a machine can read those. One line break at the end is dropped. A value is a secret unless --plain is given.',
  options: {
    plain: { words: 'shows the value on the page and in the log; for what is no secret' },
    ...restartOption,
  },
  body: async ({ args }) => {
    let value = ''
    for await (const chunk of stdin.setEncoding('utf8')) value += chunk
    value = value.replace(/\r?\n$/, '')
    if (value === '')
      throw new UsageError('the value on standard input is empty; longhouse env unset removes a variable')
    return { name: args.word(1), value, secret: !args.flag('plain'), restart: args.flag('restart') }
  },
})

const unset = operate('env unset', 'removeAdminInstanceEnvironment', {
  takes: [instanceArgument, nameArgument],
  summary: 'removes an environment variable of an instance',
  details: 'It applies at the next start, or at once with --restart.',
  options: restartOption,
  body: ({ args }) => ({ name: args.word(1), restart: args.flag('restart') }),
})

export const ofEnvironment: readonly Command[] = [list, set, unset]
