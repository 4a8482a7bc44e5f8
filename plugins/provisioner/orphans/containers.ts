import type { Driver, Leftover } from '../driver.ts'
import { wanted } from '../records/instance.ts'
import type { Instance } from '../schema.ts'
import { type Orphan, orphanId } from './orphan.ts'

export type Existing = Awaited<ReturnType<Driver['existing']>>[number]

/** Containers of this data root that do not fit the records. */
export function strayContainers(
  there: readonly Existing[],
  records: ReadonlyMap<string, Instance>,
  atWork: ReadonlySet<string>,
): Orphan[] {
  return there.flatMap((each): Orphan[] => {
    if (atWork.has(each.instanceId)) return []
    const why = containerFault(records.get(each.instanceId), each.active)
    if (why === null) return []
    return [
      {
        ...{
          id: orphanId('container', each.container, each.id ?? ''),
          kind: 'container',
          name: each.container,
        },
        ...{
          instanceId: each.instanceId,
          running: each.active,
          why,
          since: each.createdAt ?? null,
          bytes: null,
        },
        repair: each.id === undefined ? null : 'remove',
        advice: 'Its volume stays, whatever becomes of the container.',
      },
    ]
  })
}

/** Why a container should not be there, or not run; null when it may. */
export function containerFault(record: Instance | undefined, active: boolean): string | null {
  if (!record) return 'no record has its instance'
  if (record.purgedAt !== null) return 'its instance was deleted for good'
  if (record.status === 'deleted') return 'its instance was removed'
  if (active && record.status === 'stopped' && wanted(record) === 'stopped')
    return 'it runs though its instance is stopped'
  return null
}

/** What the driver made for its own work, and nothing uses any more. */
export function leftOver({ kind, id, name, active, createdAt, why }: Leftover): Orphan {
  return {
    ...{ id: orphanId(kind, name, id), kind, name, instanceId: null },
    ...{ running: active, why, since: createdAt, bytes: null, repair: 'remove' },
    advice: 'No instance needs it.',
  }
}

/** Instances that should run and have no container, and that nothing works on. */
export function containerless(
  there: readonly Existing[],
  records: ReadonlyMap<string, Instance>,
  atWork: ReadonlySet<string>,
): Orphan[] {
  const known = new Set(there.map(({ instanceId }) => instanceId))
  return [...records.values()].flatMap((record): Orphan[] => {
    const { id, subdomain, purgedAt, status } = record
    if (purgedAt !== null || known.has(id) || atWork.has(id) || wanted(record) !== 'running') return []
    if (status !== 'running' && status !== 'unhealthy') return []
    return [
      {
        ...{
          id: orphanId('instance', subdomain, 'container'),
          kind: 'instance',
          name: subdomain,
          instanceId: id,
        },
        ...{
          running: false,
          why: `it is ${status} in the records, and has no container`,
          since: null,
          bytes: null,
        },
        repair: 'start',
        advice: 'The reconciler looks by itself, too, as soon as it does not answer.',
      },
    ]
  })
}
