import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { askText } from '../command/api.ts'
import { UsageError } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { whichControl } from './control/which-control.ts'
import { done } from './waiting.ts'

/** For whatever has no command of its own. */
export const raw: Command = {
  name: 'api',
  takes: [{ name: 'path', words: 'a path', example: '/admin/orphans' }],
  needsRepo: false,
  summary: 'sends one request to the API of the control plane, and prints the answer',
  details: 'GET /openapi.json describes all routes. With --data, the request is a POST.',
  options: {
    method: { value: '<method>', short: 'X', words: 'GET, POST, PUT or DELETE' },
    data: { value: '<json>', short: 'd', words: 'the body as JSON, or @file to read one' },
  },
  run: async call => {
    const { args, output, signal } = call
    const body = readBody(call)
    const method = args.text('method') ?? (body === undefined ? 'GET' : 'POST')
    if (!/^[A-Z]+$/.test(method))
      throw new UsageError(`--method: "${method}" is none of GET, POST, PUT, DELETE`)
    if (!/^\/(?!\/)/.test(args.id)) throw new UsageError(`"${args.id}" is not a path such as /admin/orphans`)
    const text = await askText(whichControl(), args.id, {
      signal,
      method,
      headers: { Accept: 'application/json' },
      ...(body !== undefined && { body }),
    })
    output.pass('out', text === '' || text.endsWith('\n') ? text : `${text}\n`)
    return done
  },
}

function readBody({ args, workingDir }: Call): unknown {
  const given = args.text('data')
  if (given === undefined) return undefined
  const file = given.startsWith('@') ? resolve(workingDir, given.slice(1)) : null
  if (file !== null && !existsSync(file))
    throw new UsageError(`--data: the file "${given.slice(1)}" cannot be read`)
  try {
    return JSON.parse(file === null ? given : readFileSync(file, 'utf8'))
  } catch {
    throw new UsageError('--data is not JSON such as {"adopt": true}')
  }
}
