import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { bytesInWords } from '../../views/components/bytes.ts'
import { UsageError } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago, columnLook, type Looks, sayFields } from './control/look.ts'
import type { InstanceJson, OperationJson } from './control/wire.ts'
import { instanceArgument, operationWords } from './instance.ts'
import { done, failed } from './waiting.ts'

interface OverviewJson {
  instances: { total: number; by_status: Record<string, number> }
  attention: { subdomain: string | null; summary: string; detail: string; urgency: string }[]
  capacity: {
    memory: { promised_bytes: number; total_bytes: number | null }
    disk: { free_bytes: number; total_bytes: number }
    /** Older control planes do not say. */
    addresses?: { used: number; total: number } | null
  }
  operations: (Omit<OperationJson, 'steps'> & { subdomain: string })[]
}

const operationLooks: Looks = { succeeded: 'green', failed: 'red', running: 'yellow', pending: 'yellow' }
const stepLooks: Looks = { done: 'green', failed: 'red', running: 'yellow', pending: 'yellow' }
const resultLooks: Looks = { accepted: 'green', done: 'green', refused: 'red', failed: 'red' }

const overview: Command = {
  name: 'overview',
  takes: [],
  needsRepo: false,
  summary: 'shows what needs you, how many instances there are, and what capacity is left',
  details: 'The exit code is 0 also when something needs you; see --json for scripts.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<OverviewJson>('getAdminOverview')
    if (args.flag('json')) {
      output.json(shown)
      return done
    }
    const { instances, attention, capacity, operations } = shown
    if (attention.length === 0) output.say(`${output.look('green', '✓')} Nothing needs you`)
    for (const { urgency, summary, detail } of attention) {
      const mark = urgency === 'alert' ? output.look('red', '✗') : output.look('yellow', '!')
      output.say(`${mark} ${summary}${detail ? output.look('dim', `  ${detail}`) : ''}`)
    }
    output.say('')
    const byStatus = Object.entries(instances.by_status).filter(([, number]) => number > 0)
    const { memory, disk, addresses } = capacity
    sayFields(output, [
      [
        'instances',
        [String(instances.total), ...byStatus.map(([status, number]) => `${number} ${status}`)].join(', '),
      ],
      [
        'memory',
        `${bytesInWords(memory.promised_bytes)} promised${memory.total_bytes === null ? '' : ` of ${bytesInWords(memory.total_bytes)}`}`,
      ],
      ['disk', `${bytesInWords(disk.free_bytes)} free of ${bytesInWords(disk.total_bytes)}`],
      ['addresses', addresses ? `${addresses.total - addresses.used} free of ${addresses.total}` : null],
    ])
    if (operations.length === 0) return done
    output.say('')
    const rows = operations.map(each => [
      ago(each.created_at, now),
      each.subdomain,
      each.kind,
      each.status,
      each.actor?.name ?? '',
      each.error ?? '',
    ])
    const headings = ['WHEN', 'INSTANCE', 'OPERATION', 'STATUS', 'BY', '']
    sayTable(output, headings, rows, columnLook(3, operationLooks))
    return done
  },
}

const operation: Command = {
  name: 'operation',
  takes: [{ name: 'id', words: 'the id of an operation', example: 'op_01k3' }],
  needsRepo: false,
  summary: 'shows an operation with its steps',
  details: 'The exit code is 1 if it failed.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<OperationJson>('getAdminOperation', { path: { id: args.id } })
    if (args.flag('json')) output.json(shown)
    else {
      output.say(operationWords(shown, now))
      const rows = shown.steps.map(({ name, status, detail }) => [name, status, detail ?? ''])
      sayTable(output, ['STEP', 'STATUS', ''], rows, columnLook(1, stepLooks))
    }
    return shown.status === 'failed' ? failed : done
  },
}

const metrics: Command = {
  name: 'metrics',
  takes: [],
  needsRepo: false,
  summary: 'prints the metrics of the control plane, as Prometheus reads them',
  details: 'The token of METRICS_TOKEN works as well.',
  options: {},
  run: async call => {
    call.output.pass('out', await controlOf(call).text('getMetrics'))
    return done
  },
}

interface EntryJson {
  seq: number
  at: string
  actor: { name: string }
  address: string | null
  action: string
  target: string
  result: string
  detail: string
}

const filters = {
  instance: { value: '<name>', words: 'about this instance' },
  actor: { value: '<who>', words: 'by this operator, token or owner; or by billing or timer' },
  action: { value: '<what>', words: 'what was done: purge' },
  from: { value: '<time>', words: 'from this day or time on' },
  to: { value: '<time>', words: 'before this time, or to the end of this day' },
} as const

const audit: Command = {
  name: 'audit',
  takes: [],
  needsRepo: false,
  summary: 'shows who did what, newest first',
  details:
    'With --export, prints the whole log as a file, oldest first. With --verify, checks that no entry was changed or ' +
    'removed; the exit code is 1 if one was.',
  options: {
    ...filters,
    limit: { value: '<number>', words: 'how many, from 1 to 500; 50 by default' },
    export: { value: '<format>', choices: ['jsonl', 'csv'], words: 'prints all of it' },
    verify: { words: 'checks the chain of hashes' },
    ...jsonOption,
  },
  run: async call => {
    const { args, output } = call
    const control = controlOf(call)
    const query = Object.fromEntries(Object.keys(filters).map(name => [name, args.text(name)]))
    const format = args.text('export')
    if (format !== undefined) {
      const file = await control.open('exportAdminAudit', { query: { ...query, format } })
      await pipeline(file, process.stdout, { end: false, signal: call.signal })
      return done
    }
    if (args.flag('verify')) {
      const chain = await control.ask<{ entries: number; broken: { seq: number; reason: string } | null }>(
        'verifyAdminAudit',
      )
      const { entries, broken } = chain
      if (args.flag('json')) output.json(chain)
      else
        output.say(
          broken ? `Entry ${broken.seq}: ${broken.reason}` : `${entries} entries, none changed or removed`,
        )
      return broken ? failed : done
    }
    const page = await control.ask<{ entries: EntryJson[] }>('getAdminAudit', {
      query: { ...query, limit: args.text('limit') },
    })
    if (args.flag('json')) {
      output.json(page)
      return done
    }
    const rows = page.entries.map(({ at, actor, action, target, result, address, detail }) => [
      at,
      actor.name,
      action,
      target,
      result,
      address ?? '',
      detail,
    ])
    const headings = ['AT', 'WHO', 'ACTION', 'TARGET', 'RESULT', 'FROM', 'DETAILS']
    sayTable(output, headings, rows, columnLook(4, resultLooks))
    return done
  },
}

export const open: Command = {
  name: 'open',
  takes: [{ ...instanceArgument, optional: true }],
  needsRepo: false,
  summary: 'opens an instance in the browser, or the control plane',
  details: 'Prints the address, and opens it if standard output is a terminal.',
  options: {
    page: { words: 'opens the instance’s page of the control plane instead' },
  },
  run: async call => {
    const { args, output } = call
    const control = controlOf(call)
    const { origin } = control.place
    if (args.flag('page') && args.id === '') throw new UsageError('--page needs the name of an instance')
    const shown = args.id
      ? await control.ask<InstanceJson>('getAdminInstance', { path: { subdomain: args.id } })
      : null
    const page = shown && `${origin}/admin/instances/${encodeURIComponent(shown.subdomain)}`
    const url = (args.flag('page') ? page : shown?.url) ?? origin
    output.say(url)
    if (output.columns !== null) browse(url)
    return done
  },
}

/** Where there is no program for it, the address is on the screen. */
function browse(url: string): void {
  const [program, ...before] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['explorer'] : ['xdg-open']
  const child = spawn(program ?? '', [...before, url], { stdio: 'ignore', detached: true })
  child.once('error', () => {})
  child.unref()
}

export const watching: readonly Command[] = [overview, operation, audit, metrics]
