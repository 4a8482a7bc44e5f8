import { bytesInWords } from '../../views/components/bytes.ts'
import { UsageError } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { columnLook } from './control/look.ts'
import type { InstanceJson } from './control/wire.ts'
import { statusLooks } from './instance.ts'

interface Page {
  instances: InstanceJson[]
  total: number
}

/** The most that the API answers at once. */
const most = 1000

export const instances: Command = {
  name: 'instances',
  takes: [],
  needsRepo: false,
  summary: 'lists the instances',
  details: 'By name, all of them unless there is a limit.',
  options: {
    search: { value: '<text>', words: 'only those whose name or owner has this text' },
    behind: { words: 'only those whose image is not the configured one' },
    outdated: { words: 'only those that run with older settings' },
    filter: {
      value: '<query>',
      words: 'only those that it finds: status=failed&plan=Basic, as in GET /admin/instances',
    },
    sort: {
      ...{ value: '<order>', signed: true },
      words: 'by another column: disk, status, version and more; -created for the newest first',
    },
    limit: { value: '<number>', words: 'at most so many' },
    ...jsonOption,
  },
  run: async call => {
    const { args, output } = call
    const limit = readCount(args.text('limit'))
    const control = controlOf(call)
    const query = {
      ...Object.fromEntries(new URLSearchParams(args.text('filter') ?? '')),
      sort: args.text('sort'),
      search: args.text('search'),
      ...(args.flag('behind') && { behind: true }),
      ...(args.flag('outdated') && { outdated: true }),
    }
    const found: InstanceJson[] = []
    let total = 0
    do {
      const size = Math.min(limit - found.length, most)
      const page = await control.ask<Page>('listAdminInstances', {
        query: { ...query, limit: size, offset: found.length },
      })
      total = page.total
      found.push(...page.instances)
      if (page.instances.length === 0) break
    } while (found.length < Math.min(total, limit))
    if (args.flag('json')) {
      output.json({ instances: found, total })
      return 0
    }
    if (found.length === 0) {
      output.note('There are no such instances.')
      return 0
    }
    sayTable(output, headings, found.map(row), columnLook(1, statusLooks))
    if (found.length < total) output.note(output.noteLook('dim', `${found.length} of ${total}`))
    return 0
  },
}

const headings = ['NAME', 'STATUS', 'VERSION', 'DISK', 'OWNER', 'NOTES']

function row(instance: InstanceJson): string[] {
  const { subdomain, status, version, disk_used_bytes: disk, owner_email: owner } = instance
  return [subdomain, status, version ?? '', disk === null ? '' : bytesInWords(disk), owner, notes(instance)]
}

function notes({
  status,
  status_reason: reason,
  suspension,
  behind,
  outdated,
  reachable,
}: InstanceJson): string {
  return [
    suspension && `suspended: ${suspension}`,
    reason,
    status === 'running' && !reachable && 'not reachable',
    behind && 'behind',
    outdated && 'older settings',
  ]
    .filter(Boolean)
    .join('; ')
}

/** A whole number above 0; infinity without one. Throws a UsageError. */
function readCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw new UsageError(`--limit: "${text}" is not a whole number above 0`)
}
