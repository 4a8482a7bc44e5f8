import { bytesInWords } from '../../views/components/bytes.ts'
import { durationWords } from '../../views/components/time-words.ts'
import type { Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago, columnLook, sayFields } from './control/look.ts'
import type { OperationJson } from './control/wire.ts'
import { instanceArgument, operationWords, statusLooks } from './instance.ts'
import { done } from './waiting.ts'

interface HistoryJson {
  availability: { last_24_hours: number | null; last_30_days: number | null }
  statuses: { status: string; reason: string | null; from: string; to: string | null }[]
  operations: OperationJson[]
}

const history: Command = {
  name: 'history',
  takes: [instanceArgument],
  needsRepo: false,
  summary: 'shows how the status of an instance changed, how available it was, and its operations',
  details: 'Newest first.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<HistoryJson>('getAdminInstanceHistory', {
      path: { subdomain: args.id },
    })
    if (args.flag('json')) {
      output.json(shown)
      return done
    }
    const { last_24_hours: day, last_30_days: month } = shown.availability
    sayFields(output, [
      ['available in 24 hours', percent(day)],
      ['available in 30 days', percent(month)],
    ])
    const rows = shown.statuses.map(({ status, reason, from, to }) => [
      status,
      ago(from, now),
      `for ${durationWords((to === null ? now : Date.parse(to)) - Date.parse(from))}`,
      reason ?? '',
    ])
    output.say('')
    const headings = ['STATUS', 'SINCE', '', 'REASON']
    sayTable(output, headings, rows, columnLook(0, statusLooks))
    output.say('')
    for (const operation of shown.operations) output.say(operationWords(operation, now))
    return done
  },
}

interface Spread {
  min: number
  avg: number
  max: number
}

interface UsageJson {
  now: { cpu: number | null; memory_bytes: number; processes: number; started_at: string | null } | null
  points: {
    at: string
    cpu: Spread
    memory_bytes: Spread
    disk_bytes: Spread | null
    processes: number
  }[]
}

const periods = ['hour', 'day', 'week', 'month', 'year'] as const

const usage: Command = {
  name: 'usage',
  takes: [instanceArgument],
  needsRepo: false,
  summary: 'shows what an instance takes of the processor, memory and disk, now and over time',
  details:
    'Averages, and the most in parentheses; oldest first. Stretches in which nothing was measured are left out.',
  options: { period: { value: '<period>', choices: periods, words: 'a day by default' }, ...jsonOption },
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<UsageJson>('getAdminInstanceUsage', {
      path: { subdomain: args.id },
      query: { period: args.text('period') },
    })
    if (args.flag('json')) {
      output.json(shown)
      return done
    }
    const current = shown.now
    sayFields(output, [
      ['processor', current === null || current.cpu === null ? null : `${current.cpu.toFixed(2)} cores`],
      ['memory', current && bytesInWords(current.memory_bytes)],
      ['processes', current && String(current.processes)],
      ['started', current?.started_at ? ago(current.started_at, now) : null],
      ['now', current ? null : 'not running, or not measured yet'],
    ])
    const rows = shown.points.map(({ at, cpu, memory_bytes: memory, disk_bytes: disk, processes }) => [
      at,
      `${cpu.avg.toFixed(2)} (${cpu.max.toFixed(2)})`,
      `${bytesInWords(memory.avg)} (${bytesInWords(memory.max)})`,
      disk === null ? '' : bytesInWords(disk.max),
      String(processes),
    ])
    if (rows.length === 0) return done
    output.say('')
    sayTable(output, ['FROM', 'CORES', 'MEMORY', 'DISK', 'PROCESSES'], rows)
    return done
  },
}

function percent(part: number | null): string {
  return part === null ? 'not meant to run' : `${(part * 100).toFixed(2)} %`
}

export const lookingBack: readonly Command[] = [history, usage]
