import { count, sql } from 'drizzle-orm'
import type { Concern } from '../../src/kernel/concern.ts'
import { gauge, type Metric } from '../../src/metrics/exposition.ts'
import type { BackupService } from './contract.ts'
import type { BackupDb } from './copies/copies.ts'
import { copies } from './schema.ts'
import type { OpenStore } from './store/open-store.ts'

/** What the operator should know of: a store that cannot be reached, instances without a recent backup that works. */
export function backupConcerns(
  store: OpenStore,
  overdue: ReturnType<BackupService['overdue']>,
  untried: string | null,
): readonly Concern[] {
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
            summary: 'Backups cannot be tried: the disk is full',
            detail: untried,
            urgency: 'alert',
            path: '/admin/instances',
          },
        ]
  return [
    ...ofStore,
    ...ofProofs,
    ...overdue.map(
      ({ instanceId, subdomain, why }): Concern => ({
        kind: 'backup-overdue',
        subject: instanceId,
        subdomain,
        summary: `The backup of ${subdomain} needs attention: ${why}`,
        detail: '',
        urgency: 'alert',
        path: `/admin/instances/${subdomain}`,
      }),
    ),
  ]
}

/** Figures of the copies that are kept. */
export function backupMetrics(db: BackupDb, now: number): Metric[] {
  const byStatus = db
    .select({ status: copies.status, number: count() })
    .from(copies)
    .groupBy(copies.status)
    .all()
  const seconds = (ms: number | null) => (ms === null ? 0 : Math.round((now - ms) / 1000))
  const { newest, proven } = db
    .select({
      newest: sql<number | null>`max(case when ${copies.status} = 'kept' then ${copies.createdAt} end)`,
      proven: sql<number | null>`max(${copies.provenAt})`,
    })
    .from(copies)
    .get() ?? { newest: null, proven: null }
  return [
    gauge(
      'longhouse_backup_copies',
      'Backups of instances, by status.',
      byStatus.map(({ status, number }) => [{ status }, number]),
    ),
    gauge(
      'longhouse_backup_newest_age_seconds',
      'Age of the newest backup of any instance.',
      newest === null ? [] : [[{}, seconds(newest)]],
    ),
    gauge(
      'longhouse_backup_last_proven_age_seconds',
      'Time since any backup was last proven to work.',
      proven === null ? [] : [[{}, seconds(proven)]],
    ),
  ]
}
