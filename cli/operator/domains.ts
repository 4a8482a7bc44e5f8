import type { Argument } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { instanceArgument } from './instance.ts'
import { ago, sayFields } from './look.ts'
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

export const ofDomains: readonly Command[] = [list, add, check, remove]
