import { resolve } from 'node:path'
import { openProjectQuotas } from '../../src/storage/project-quota.ts'
import { bytesInWords } from '../../views/components/bytes.ts'
import type { Option } from '../command/arguments.ts'
import { UsageError } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { sayTable } from '../command/output.ts'
import { controlOf } from './control/control.ts'
import { columnLook } from './control/look.ts'
import type { InstanceJson } from './control/wire.ts'
import { type Surveyed, surveyQuotas, type VolumeQuota } from './quotas/volumes.ts'
import { done, failed } from './waiting.ts'

interface Page {
  instances: InstanceJson[]
  total: number
}

/** The most that the API answers at once. */
const most = 1000

const options: Readonly<Record<'data-root' | 'json', Option>> = {
  'data-root': { value: '<folder>', words: 'where the volumes are; by default LONGHOUSE_DATA_ROOT' },
  json: { words: 'prints the volumes as JSON' },
}

const where = 'Run it as root on the host that has the volumes: only root may read and set quotas.'

const look: Command = {
  name: 'quotas',
  takes: [],
  needsRepo: false,
  summary: 'shows which volumes have a quota in the file system, and which are only watched',
  details: `${where} Nothing is changed.`,
  options,
  run: async call => {
    const { volumes, left } = await survey(call, false)
    sayVolumes(call, volumes)
    if (call.args.flag('json')) return done
    const waiting = volumes.filter(({ state }) => state === 'to set').length
    if (waiting + left > 0)
      call.output.note(
        `longhouse quotas apply sets ${counted(waiting, 'quota')}, and removes ${left} of volumes that are gone.`,
      )
    return done
  },
}

const apply: Command = {
  name: 'quotas apply',
  takes: [],
  needsRepo: false,
  summary: 'sets a quota for each volume in the file system, a fifth above its limit',
  details: `${where} Safe to repeat, such as every few minutes: it follows new instances and changed plans. Exits with 1 when a volume with a limit is only watched.`,
  options,
  run: async call => {
    const { volumes, left } = await survey(call, true)
    sayVolumes(call, volumes)
    if (left > 0) call.output.note(`Removed ${counted(left, 'quota')} of volumes that are gone.`)
    return volumes.some(({ state }) => state === 'watched') ? failed : done
  },
}

async function survey(call: Call, apply: boolean): Promise<Surveyed> {
  const named = call.args.text('data-root') ?? process.env.LONGHOUSE_DATA_ROOT
  if (!named) throw new UsageError('the folder of the volumes is not known; name it with --data-root')
  const quotas = openProjectQuotas()
  if (!quotas) throw new CommandError('quotas need Linux, on a processor of x86-64 or arm64')
  const instances = await everyInstance(call)
  try {
    return await surveyQuotas(quotas, resolve(call.workingDir, named), instances, { apply })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EPERM', 'EACCES'].includes(code)) throw error
    throw new CommandError(
      'the system refused; run this command as root, and in a container with SYS_ADMIN',
      {
        cause: error,
      },
    )
  }
}

/** All of them, with those whose volume is kept; the order by name keeps pages from overlapping. */
async function everyInstance(call: Call): Promise<InstanceJson[]> {
  const control = controlOf(call)
  const found = new Map<string, InstanceJson>()
  for (let offset = 0; ; offset += most) {
    const page = await control.ask<Page>('listAdminInstances', { query: { limit: most, offset } })
    for (const each of page.instances) found.set(each.id, each)
    if (page.instances.length < most) return [...found.values()]
  }
}

function sayVolumes({ args, output }: Call, volumes: readonly VolumeQuota[]): void {
  if (args.flag('json')) {
    output.json({
      volumes: volumes.map(({ subdomain, state, reason, project, usedBytes, limitBytes, quota }) => ({
        ...{ subdomain, state, reason, project, used_bytes: usedBytes, limit_bytes: limitBytes },
        ...{ quota_bytes: quota?.bytes ?? null, quota_files: quota?.files ?? null },
      })),
    })
    return
  }
  const size = (bytes: number | null | undefined) => (bytes == null ? '' : bytesInWords(bytes))
  const rows = volumes.map(({ subdomain, state, project, usedBytes, limitBytes, quota }) => [
    ...[subdomain, state, size(usedBytes), size(limitBytes), size(quota?.bytes)],
    project === 0 ? '' : String(project),
  ])
  const looks = { enforced: 'green', watched: 'yellow' } as const
  if (rows.length === 0) output.note('There are no volumes here.')
  else
    sayTable(output, ['NAME', 'QUOTA IS', 'TAKES', 'LIMIT', 'QUOTA', 'PROJECT'], rows, columnLook(1, looks))
  // One reason is mostly that of all.
  for (const [reason, some] of Map.groupBy(volumes, ({ reason }) => reason))
    if (reason !== null) output.note(`${some.map(({ subdomain }) => subdomain).join(', ')}: ${reason}`)
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** The quotas of the file system, on the host of the volumes. */
export const ofQuotas: readonly Command[] = [look, apply]
