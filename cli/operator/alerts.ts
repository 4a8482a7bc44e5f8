import { UsageError } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago, columnLook, type Looks } from './control/look.ts'
import { done } from './waiting.ts'

interface AlertJson {
  id: string
  kind: string
  subdomain: string | null
  summary: string
  detail: string
  urgency: string
  opened_at: string
  closed_at: string | null
  silent: boolean
}

interface SilenceJson {
  id: string
  kind: string | null
  subdomain: string | null
  until: string
}

interface AlertsJson {
  open: AlertJson[]
  closed: AlertJson[]
  silences: SilenceJson[]
}

const looks: Looks = { alert: 'red', notice: 'yellow' }

const alerts: Command = {
  name: 'alerts',
  takes: [],
  needsRepo: false,
  summary: 'lists open alerts and silences',
  details: 'With --closed, also alerts that are over.',
  options: { closed: { words: 'also those that are over' }, ...jsonOption },
  run: async call => {
    const { args, output, now } = call
    const answer = await controlOf(call).ask<AlertsJson>('listAdminAlerts')
    if (args.flag('json')) {
      output.json(answer)
      return done
    }
    const shown = [...answer.open, ...(args.flag('closed') ? answer.closed : [])]
    if (answer.open.length === 0) output.note('No alert is open.')
    const rows = shown.map(each => [
      each.closed_at === null ? each.urgency : 'over',
      each.kind,
      ago(each.opened_at, now),
      each.silent ? 'silenced' : '',
      `${each.summary} ${each.detail}`,
    ])
    if (rows.length > 0) {
      const headings = ['URGENCY', 'KIND', 'SINCE', '', 'WHAT']
      sayTable(output, headings, rows, columnLook(0, looks))
    }
    for (const { id, kind, subdomain, until } of answer.silences)
      output.say(`${id}: ${kind ?? 'all alerts'} of ${subdomain ?? 'all instances'} silenced until ${until}`)
    return done
  },
}

const silence: Command = {
  name: 'alerts silence',
  takes: [],
  needsRepo: false,
  summary: 'sends no alerts of a kind, of an instance, or at all, for a time',
  details: 'The list keeps showing them.',
  options: {
    for: { value: '<duration>', words: 'how long: 2h, 3d' },
    kind: { value: '<kind>', words: 'only alerts of this kind' },
    instance: { value: '<name>', words: 'only alerts of this instance' },
    ...jsonOption,
  },
  run: async call => {
    const { args, output } = call
    const [time, kind, subdomain] = [args.text('for'), args.text('kind'), args.text('instance')]
    if (time === undefined) throw new UsageError('alerts silence needs --for <duration>, such as 2h')
    const made = await controlOf(call).ask<SilenceJson>('createAdminAlertsSilence', {
      body: { for: time, ...(kind !== undefined && { kind }), ...(subdomain !== undefined && { subdomain }) },
    })
    if (args.flag('json')) output.json(made)
    else output.say(`${made.id}: silenced until ${made.until}`)
    return done
  },
}

const end: Command = {
  name: 'alerts end-silence',
  takes: [{ name: 'id', words: 'the id of a silence', example: 'sil_01k3' }],
  needsRepo: false,
  summary: 'ends a silence now',
  details: 'What is still wrong is sent again.',
  options: {},
  run: async call => {
    await controlOf(call).ask('endAdminAlertsSilence', { path: { id: call.args.id } })
    call.output.say(`${call.args.id}: ended`)
    return done
  },
}

const test: Command = {
  name: 'alerts test',
  takes: [],
  needsRepo: false,
  summary: 'sends a test alert to every channel',
  details: 'The channels are those of the ALERT_… settings.',
  options: {},
  run: async call => {
    await controlOf(call).ask('postAdminAlertsTest')
    call.output.say('A test alert is on its way.')
    return done
  },
}

export const ofAlerts: readonly Command[] = [alerts, silence, end, test]
