import { and, asc, eq, gt, inArray, isNull, ne, or, type SQL } from 'drizzle-orm'
import type { Concern } from '../../../src/kernel/concern.ts'
import { bytesInWords } from '../../../views/components/bytes.ts'
import { instances, notes, operations } from '../schema.ts'
import { behind } from './default-image.ts'
import { crampedInstances } from './disk-use.ts'
import type { Fleet } from './fleet.ts'
import { mayRun, type ProvisionerDb } from './instance.ts'

const day = 86_400_000

/** Instances that should run and do not, and operations that failed within the last day and were not repeated since. */
export function instanceConcerns(fleet: Pick<Fleet, 'db' | 'diskBytes' | 'clock'>): Concern[] {
  const { db, clock } = fleet
  return [...ofInstances(db), ...ofOperations(db, clock.now()), ...ofDisk(fleet)]
}

const mostNamed = 5

/** What is due for many instances, each in one concern: those behind the configured image, and those that nothing pays for. */
export function fleetConcerns({ db, defaultImage }: Pick<Fleet, 'db' | 'defaultImage'>): Concern[] {
  const behindIt = behind(defaultImage)
  const unpaid = and(eq(notes.unpaid, true), ne(instances.desired, 'deleted'), isNull(instances.purgedAt))
  const named = (where: SQL | undefined) =>
    db
      .select({ subdomain: instances.subdomain })
      .from(instances)
      .leftJoin(notes, eq(notes.instanceId, instances.id))
      .where(where)
      .orderBy(asc(instances.subdomain))
      .all()
      .map(({ subdomain }) => subdomain)
  return [
    ...ofMany(behindIt === null ? [] : named(behindIt), {
      kind: 'instances-behind',
      words: ['1 instance is behind', 'instances are behind'],
      why: `The configured image, ${defaultImage.name}, is another one by now. Upgrade one by one, or the fleet in waves.`,
      filter: 'behind',
    }),
    ...ofMany(named(unpaid), {
      kind: 'instances-unpaid',
      words: ['1 instance is unpaid', 'instances are unpaid'],
      why: 'No subscription or exemption pays, though one should.',
      filter: 'unpaid',
    }),
  ]
}

function ofMany(
  names: readonly string[],
  {
    kind,
    words,
    why,
    filter,
  }: { kind: string; words: readonly [string, string]; why: string; filter: string },
): Concern[] {
  if (names.length === 0) return []
  const more = names.length - mostNamed
  const listed = names.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more} more` : '')
  return [
    {
      ...{ kind, subject: filter, subdomain: null, urgency: 'notice' },
      summary: names.length === 1 ? words[0] : `${names.length} ${words[1]}`,
      detail: `${listed}. ${why}`,
      path: `/admin/instances?${filter}=true`,
    },
  ]
}

/** Volumes that are full, or will be. */
function ofDisk(fleet: Pick<Fleet, 'db' | 'diskBytes'>): Concern[] {
  return crampedInstances(fleet).map(({ id, subdomain, usedBytes, limitBytes, level }) => ({
    kind: level === 'warned' ? 'instance-disk-low' : 'instance-disk-full',
    subject: id,
    subdomain,
    summary: `${subdomain} uses ${Math.floor((usedBytes / limitBytes) * 100)} % of its disk space`,
    detail: `${bytesInWords(usedBytes)} of ${bytesInWords(limitBytes)}. ${diskWords[level]}`,
    urgency: level === 'warned' ? ('notice' as const) : ('alert' as const),
    path: `/admin/instances/${subdomain}`,
  }))
}

const diskWords = {
  warned:
    'At 100 %, it refuses saves, pushes and installations. Its owner can delete what is not needed on its page “Disk”.',
  full: 'It refuses saves, pushes and installations. Its owner can delete what is not needed on its page “Disk”; you can give it more.',
  beyond:
    'It refuses saves, pushes and installations, and starts no runs. Its owner can delete what is not needed on its page “Disk”; you can give it more.',
} as const

function ofInstances(db: ProvisionerDb): Concern[] {
  const broken = or(
    and(mayRun, inArray(instances.status, ['failed', 'unhealthy'])),
    and(eq(instances.desired, 'deleted'), eq(instances.status, 'failed')),
  )
  return db
    .select()
    .from(instances)
    .where(and(isNull(instances.purgedAt), broken))
    .orderBy(asc(instances.subdomain))
    .all()
    .map(({ id, subdomain, status, desired, statusReason }) => ({
      kind: status === 'failed' ? 'instance-failed' : 'instance-unhealthy',
      subject: id,
      subdomain,
      summary:
        status === 'unhealthy'
          ? `${subdomain} is unhealthy`
          : desired === 'deleted'
            ? `${subdomain} could not be removed`
            : `${subdomain} has failed`,
      detail: statusReason ?? '',
      urgency: 'alert' as const,
      path: `/admin/instances/${subdomain}`,
    }))
}

/** An operation that failed and left its instance running, such as an upgrade: no status says so. */
function ofOperations(db: ProvisionerDb, now: number): Concern[] {
  return db
    .select({ instance: instances, operation: operations })
    .from(operations)
    .innerJoin(instances, eq(instances.operationId, operations.id))
    .where(
      and(
        eq(operations.status, 'failed'),
        gt(operations.finishedAt, now - day),
        inArray(instances.status, ['running', 'stopped']),
      ),
    )
    .orderBy(asc(instances.subdomain))
    .all()
    .map(({ instance: { subdomain }, operation: { id, kind, error } }) => ({
      kind: 'operation-failed',
      subject: id,
      subdomain,
      summary: `The operation “${kind}” of ${subdomain} failed`,
      detail: error ?? '',
      urgency: 'alert' as const,
      path: `/admin/instances/${subdomain}`,
    }))
}
