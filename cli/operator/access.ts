import { UsageError } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago } from './control/look.ts'
import { done } from './waiting.ts'

interface TokenJson {
  id: string
  name: string
  role: string
  instances: string[] | null
  hint: string
  created_by: string
  expires_at: string | null
  last_used_at: string | null
  /** Only in the answer that made it. */
  secret?: string
}

const roles = ['read', 'operate', 'own'] as const

const tokens: Command = {
  name: 'tokens',
  takes: [],
  needsRepo: false,
  summary: 'lists the API tokens of operators',
  details: 'Needs the role own.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const answer = await controlOf(call).ask<{ tokens: TokenJson[] }>('listAdminTokens')
    if (args.flag('json')) {
      output.json(answer)
      return done
    }
    if (answer.tokens.length === 0) output.note('There are no API tokens; longhouse tokens create makes one.')
    const rows = answer.tokens.map(token => [
      token.id,
      token.name,
      token.role,
      token.instances?.join(', ') ?? 'all',
      ago(token.last_used_at, now),
      ago(token.expires_at, now),
      token.created_by,
    ])
    const headings = ['ID', 'NAME', 'ROLE', 'INSTANCES', 'USED', 'EXPIRES', 'CREATED BY']
    if (rows.length > 0) sayTable(output, headings, rows)
    return done
  },
}

const create: Command = {
  name: 'tokens create',
  takes: [{ name: 'name', words: 'a name', example: '"deploy script" --role operate' }],
  needsRepo: false,
  summary: 'creates an API token, and prints its secret, once',
  details: 'Needs the role own.',
  options: {
    role: { value: '<role>', choices: roles, words: 'what it may do' },
    instance: { value: '<name>', many: true, words: 'only for this instance; may be repeated' },
    'expires-in': { value: '<duration>', words: 'such as 90d' },
    ...jsonOption,
  },
  run: async call => {
    const { args, output } = call
    const role = args.text('role')
    if (role === undefined) throw new UsageError(`tokens create needs --role: ${roles.join(', ')}`)
    const some = args.texts('instance')
    const expiresIn = args.text('expires-in')
    const made = await controlOf(call).ask<TokenJson>('createAdminToken', {
      body: {
        name: args.id,
        role,
        ...(some.length > 0 && { instances: some }),
        ...(expiresIn !== undefined && { expires_in: expiresIn }),
      },
    })
    if (args.flag('json')) output.json(made)
    else output.say(made.secret ?? '')
    return done
  },
}

const revoke: Command = {
  name: 'tokens revoke',
  takes: [{ name: 'id', words: 'the id of a token', example: 'tok_01k3' }],
  needsRepo: false,
  summary: 'revokes an API token, at once',
  details: 'Needs the role own.',
  options: {},
  run: async call => {
    await controlOf(call).ask('deleteAdminToken', { path: { id: call.args.id } })
    call.output.say(`${call.args.id}: revoked`)
    return done
  },
}

interface OperatorJson {
  id: string
  name: string
  email: string
  role: string
  joined_at: string | null
  last_sign_in_at: string | null
}

const operators: Command = {
  name: 'operators',
  takes: [],
  needsRepo: false,
  summary: 'lists the operators',
  details: 'They are invited and removed on the page Operators.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<{ operators: OperatorJson[] }>('listAdminOperators')
    if (args.flag('json')) output.json(shown)
    else if (shown.operators.length === 0) output.note('There are no operators beside the admin token.')
    else {
      const rows = shown.operators.map(each => [
        each.id,
        each.name,
        each.email,
        each.role,
        each.joined_at === null ? 'invited' : ago(each.joined_at, now),
        ago(each.last_sign_in_at, now),
      ])
      sayTable(output, ['ID', 'NAME', 'EMAIL', 'ROLE', 'JOINED', 'SIGNED IN'], rows)
    }
    return done
  },
}

/** Who may do what: API tokens and operators. */
export const ofAccess: readonly Command[] = [tokens, create, revoke, operators]
