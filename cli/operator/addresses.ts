import type { Argument } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago, sayFields } from './control/look.ts'
import { instanceArgument } from './instance.ts'
import { done } from './waiting.ts'

interface DomainJson {
  domain: string
  state: string
  since: string
  proof: { type: string; name: string; value: string }
  traffic: { type: string; name: string; value: string }
  vouched: boolean
  finding: string | null
}

const domainArgument: Argument = { name: 'domain', words: 'a host name', example: 'jobs.example.org' }
const ofInstance = { takes: [instanceArgument, domainArgument], needsRepo: false } as const

function tell({ args, output }: Call, domain: DomainJson): typeof done {
  if (args.flag('json')) {
    output.json(domain)
    return done
  }
  const record = ({ type, name, value }: DomainJson['proof']) => `${name} ${type} ${value}`
  sayFields(output, [
    ['domain', domain.domain],
    ['state', domain.state],
    ['proof', domain.vouched ? 'none needed' : record(domain.proof)],
    ['traffic', record(domain.traffic)],
    ['last check', domain.finding],
  ])
  return done
}

const list: Command = {
  name: 'domains',
  takes: [instanceArgument],
  needsRepo: false,
  summary: 'lists the domains of an instance',
  details: 'Requests for those that are active or losing their proof reach the instance.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<{ domains: DomainJson[] }>('listAdminInstanceDomains', {
      path: { subdomain: args.id },
    })
    if (args.flag('json')) output.json(shown)
    else if (shown.domains.length === 0) output.note(`${args.id} has no domains of its own.`)
    else {
      const rows = shown.domains.map(each => [
        each.domain,
        each.state,
        ago(each.since, now),
        each.finding ?? '',
      ])
      sayTable(output, ['DOMAIN', 'STATE', 'SINCE', 'LAST CHECK'], rows)
    }
    return done
  },
}

const add: Command = {
  ...ofInstance,
  name: 'domains add',
  summary: 'adds a domain to an instance, and prints the DNS records that it needs',
  details: 'With --vouched you answer for it: it is active at once and needs no proof.',
  options: { vouched: { words: 'needs no proof' }, ...jsonOption },
  run: async call => {
    const body = { domain: call.args.word(1), vouched: call.args.flag('vouched') }
    const made = await controlOf(call).ask<DomainJson>('addInstanceDomain', {
      path: { subdomain: call.args.id },
      body,
    })
    return tell(call, made)
  },
}

const check: Command = {
  ...ofInstance,
  name: 'domains check',
  summary: 'looks for the proof of a domain now',
  details: 'It is looked for by itself, too.',
  options: jsonOption,
  run: async call => {
    const path = { subdomain: call.args.id, domain: call.args.word(1) }
    return tell(call, await controlOf(call).ask<DomainJson>('checkAdminInstanceDomain', { path, body: {} }))
  },
}

const remove: Command = {
  ...ofInstance,
  name: 'domains remove',
  summary: 'removes a domain from an instance, at once',
  details: 'The DNS records stay; remove them where the DNS is managed.',
  options: {},
  run: async call => {
    const path = { subdomain: call.args.id, domain: call.args.word(1) }
    await controlOf(call).ask('deleteAdminInstanceDomain', { path })
    call.output.say(`${path.domain}: removed`)
    return done
  },
}

interface GateJson {
  closed: boolean
  public_paths: string[]
}

function tellGate({ args, output }: Call, gate: GateJson): typeof done {
  if (args.flag('json')) output.json(gate)
  else {
    const paths = gate.public_paths.join(' ')
    sayFields(output, [
      ['gate', gate.closed ? 'closed: only signed-in owners and operators pass' : 'open to everyone'],
      ['public paths', gate.closed ? paths || 'none' : null],
    ])
  }
  return done
}

const ofOne = { takes: [instanceArgument], needsRepo: false } as const
const publicOption = {
  value: '<path>',
  many: true,
  words: 'open to everyone, with all below it; may be repeated',
} as const

const gate: Command = {
  ...ofOne,
  name: 'gate',
  summary: 'shows who may open an instance',
  details: 'An instance signs people in itself, too, whether its gate is open or closed.',
  options: jsonOption,
  run: async call => {
    const path = { subdomain: call.args.id }
    return tellGate(call, await controlOf(call).ask<GateJson>('getAdminInstanceGate', { path }))
  },
}

function change(name: string, summary: string, closed: boolean): Command {
  return {
    ...ofOne,
    name: `gate ${name}`,
    summary,
    details: 'It applies within moments.',
    options: { ...(closed && { public: publicOption }), ...jsonOption },
    run: async call => {
      const after = await controlOf(call).ask<GateJson>('setAdminInstanceGate', {
        path: { subdomain: call.args.id },
        body: { closed, public_paths: closed ? call.args.texts('public') : [] },
      })
      return tellGate(call, after)
    },
  }
}

const gates: readonly Command[] = [
  gate,
  change('close', 'closes an instance to all but signed-in owners and operators', true),
  change('open', 'opens an instance to everyone', false),
]

/** At which addresses an instance is reached, and by whom. */
export const ofAddresses: readonly Command[] = [list, add, check, remove, ...gates]
