import { count } from 'drizzle-orm'
import type { Concern } from '../../src/kernel/concern.ts'
import { gauge, type Metric } from '../../src/metrics/exposition.ts'
import type { BackupService } from './contract.ts'
import type { BackupDb, Newest } from './copies/copies.ts'
import type { Seen } from './copies/due.ts'
import { copies } from './schema.ts'
import type { OpenStore } from './store/open-store.ts'

type Named = ReturnType<BackupService['overdue']>

/** What the operator should know of: a store that cannot be reached, instances without a recent backup that works. */
export function backupConcerns({
  store,
  overdue,
  failed,
  untried,
}: {
  store: OpenStore
  overdue: Named
  /** Whose newest backup failed, or does not work. */
  failed: Named
  /** Why a backup could not be tried; null when all could. */
  untried: string | null
}): readonly Concern[] {
  const fault = store.fault()
  const ofStore: Concern[] =
    fault === null
      ? []
      : [
          {
            kind: 'backup-store',
            subject: 'store',
            subdomain: null,
            summary: 'No backups can be made',
            detail: fault,
            // On a laptop it was never installed.
            urgency: store.missing() ? 'notice' : 'alert',
            path: '/admin/instances',
          },
        ]
  const ofProofs: Concern[] =
    untried === null
      ? []
      : [
          {
            kind: 'backup-proofs',
            subject: 'proofs',
            subdomain: null,
            summary: 'A backup cannot be tried',
            detail: untried,
            urgency: 'alert',
            path: '/admin/instances',
          },
        ]
  const isOverdue = new Set(overdue.map(({ instanceId }) => instanceId))
  return [
    ...ofStore,
    ...ofProofs,
    ...overdue.map(({ why, ...of }) =>
      ofInstance(of, 'backup-overdue', `The backup of ${of.subdomain} needs attention: ${why}`),
    ),
    ...failed
      .filter(({ instanceId }) => !isOverdue.has(instanceId))
      .map(({ why, ...of }) =>
        ofInstance(of, 'backup-failed', `The newest backup of ${of.subdomain} ${why}`),
      ),
  ]
}

function ofInstance(
  { instanceId, subdomain }: Omit<Named[number], 'why'>,
  kind: string,
  summary: string,
): Concern {
  const path = `/admin/instances/${subdomain}`
  return { kind, subject: instanceId, subdomain, summary, detail: '', urgency: 'alert', path }
}

/** Figures of the copies that are kept: those of single instances are of the one that stands worst. */
export function backupMetrics(
  db: BackupDb,
  { instances, newest }: Seen,
  overdue: number,
  now: number,
): Metric[] {
  const byStatus = db
    .select({ status: copies.status, number: count() })
    .from(copies)
    .groupBy(copies.status)
    .all()
  // The data of a removed instance stay as they are: it needs no newer copy.
  const live = instances.filter(({ readyAt, deletedAt }) => readyAt !== null && deletedAt === null)
  const of = (pick: (newest: Newest) => number | null) =>
    live.flatMap(({ id }) => {
      const own = newest.get(id)
      return (own && pick(own)) ?? []
    })
  const [kept, proven] = [of(({ keptAt }) => keptAt), of(({ provenAt }) => provenAt)]
  const oldest = (times: readonly number[]): [Record<string, string>, number][] =>
    times.length === 0 ? [] : [[{}, Math.round((now - Math.min(...times)) / 1000)]]
  return [
    gauge(
      'longhouse_backup_copies',
      'Backups of instances, by status.',
      byStatus.map(({ status, number }) => [{ status }, number]),
    ),
    gauge(
      'longhouse_backup_newest_age_seconds',
      'Age of the newest backup, of the instance whose newest backup is oldest.',
      oldest(kept),
    ),
    gauge(
      'longhouse_backup_last_proven_age_seconds',
      'Time since a backup was proven to work, of the instance for which that is longest ago.',
      oldest(proven),
    ),
    gauge('longhouse_backup_unproven_instances', 'Instances without a backup that was proven to work.', [
      [{}, live.length - proven.length],
    ]),
    gauge(
      'longhouse_backup_overdue_instances',
      'Instances that should have a newer backup, or a proven one.',
      [[{}, overdue]],
    ),
  ]
}
