import type { Call, Command } from '../command/call.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { instanceArgument } from './instance.ts'
import { sayFields } from './look.ts'
import { done } from './waiting.ts'

interface GateJson {
  closed: boolean
  public_paths: string[]
}

function tell({ args, output }: Call, gate: GateJson): typeof done {
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

const look: Command = {
  ...ofOne,
  name: 'gate',
  summary: 'shows who may open an instance',
  details: 'An instance signs people in itself, too, whether its gate is open or closed.',
  options: jsonOption,
  run: async call => {
    const path = { subdomain: call.args.id }
    return tell(call, await controlOf(call).ask<GateJson>('getAdminInstanceGate', { path }))
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
      const gate = await controlOf(call).ask<GateJson>('setAdminInstanceGate', {
        path: { subdomain: call.args.id },
        body: { closed, public_paths: closed ? call.args.texts('public') : [] },
      })
      return tell(call, gate)
    },
  }
}

export const ofGates: readonly Command[] = [
  look,
  change('close', 'closes an instance to all but signed-in owners and operators', true),
  change('open', 'opens an instance to everyone', false),
]
