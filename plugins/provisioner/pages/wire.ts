import { z } from 'zod'
import { principalKinds } from '../../../src/acting.ts'
import { timestamp } from '../../../src/clock.ts'
import { siteUrl } from '../../site/contract.ts'
import {
  type DiskUse,
  desiredStates,
  instanceStatuses,
  operationKinds,
  operationStatuses,
  removers,
  stepStatuses,
  volumeFaults,
} from '../contract.ts'
import { driverNames } from '../driver.ts'
import type { HealthWatch } from '../reconciler/health-watch.ts'
import { purgeAt, type RetentionSettings } from '../reconciler/retention.ts'
import { isBehind } from '../records/default-image.ts'
import { diskUseOf } from '../records/disk-use.ts'
import { type Fleet, reachableAt } from '../records/fleet.ts'
import { findNote } from '../records/note.ts'
import { actorOf, findOperation, type OperationRecord } from '../records/operation.ts'
import { findRollback } from '../records/pinned-image.ts'
import { hasOlderSettings, settingsDigest } from '../records/settings-digest.ts'
import type { Instance, Note, Rollback } from '../schema.ts'

const time = z.iso.datetime().nullable()

export const operationSchema = z
  .object({
    id: z.string(),
    instance_id: z.string(),
    kind: z.enum(operationKinds),
    status: z.enum(operationStatuses),
    actor: z
      .object({ kind: z.enum(principalKinds), id: z.string(), name: z.string() })
      .nullable()
      .meta({ description: 'Who asked for it; null for one of an earlier version' }),
    error: z.string().nullable(),
    created_at: z.iso.datetime(),
    started_at: time,
    finished_at: time,
    steps: z.array(
      z.object({
        name: z.string(),
        status: z.enum(stepStatuses),
        detail: z.string().nullable(),
        started_at: time,
        finished_at: time,
      }),
    ),
  })
  .meta({ id: 'Operation' })
export type WireOperation = z.infer<typeof operationSchema>

export const instanceSchema = z
  .object({
    id: z.string(),
    subdomain: z.string(),
    owner_email: z.string(),
    account_id: z.string().nullable().meta({ description: 'The account that owns it, if any' }),
    url: z.url(),
    status: z.enum(instanceStatuses),
    status_reason: z.string().nullable(),
    volume_fault: z.enum(volumeFaults).nullable().meta({
      description:
        'Why the instance cannot start: its volume is missing, or what is in its place is not its own. For a removed instance: why that was not deleted',
    }),
    reachable: z
      .boolean()
      .meta({ description: 'Whether the instance answers as itself, so that requests are passed on to it' }),
    desired: z.enum(desiredStates),
    outdated: z.boolean().meta({
      description:
        'Whether it runs with older settings of the control plane; a restart applies the current ones',
    }),
    driver: z.enum(driverNames),
    image: z.string(),
    image_id: z
      .string()
      .nullable()
      .meta({ description: 'The image that it is pinned to; only an upgrade changes it' }),
    version: z
      .string()
      .nullable()
      .meta({ description: 'The version of its runtime, as last seen; null when that is not known' }),
    behind: z.boolean().meta({
      description: 'Whether its image differs from the configured one, as that was last seen on the engine',
    }),
    rollback: z
      .object({ image: z.string(), image_id: z.string().nullable(), at: z.iso.datetime() })
      .nullable()
      .meta({ description: 'The image, and the moment, that a rollback returns to; null without one' }),
    created_at: z.iso.datetime(),
    last_health_at: time,
    plan: z
      .string()
      .nullable()
      .meta({ description: 'The plan that pays for it, or that the operator gave it; null for none' }),
    unpaid: z.boolean().meta({ description: 'Nothing pays for it, though something should' }),
    last_backup_at: time,
    backup_overdue: z.boolean().meta({ description: 'It should have a newer backup, or a proven one' }),
    billed: z
      .boolean()
      .meta({ description: 'False when the instance is exempt: it needs no plan and counts against none' }),
    suspended_at: time,
    suspension: z
      .string()
      .nullable()
      .meta({ description: 'Why the instance does not run, whatever its desired state' }),
    deleted_at: time,
    deleted_by: z.enum(removers).nullable(),
    purge_at: time.meta({
      description: 'When its volume is due to be deleted; null when no deletion is scheduled',
    }),
    limits: z
      .object({
        memory_bytes: z.int(),
        cpus: z.number(),
        processes: z.int(),
        disk_bytes: z.int().nullable().meta({ description: 'Null for no limit' }),
        runs_at_once: z.int(),
      })
      .meta({ description: 'What it may take: of its plan, or what every instance may' }),
    disk_used_bytes: z
      .int()
      .nullable()
      .meta({ description: 'What its volume takes, as last measured; null before that' }),
    disk_quota_bytes: z
      .int()
      .nullable()
      .meta({ description: 'Where the file system itself stops its volume; null where it is only watched' }),
    disk_measured_at: time,
    operation: operationSchema.nullable(),
  })
  .meta({ id: 'Instance' })
export type WireInstance = z.infer<typeof instanceSchema>

export function wireOperation(operation: OperationRecord): WireOperation {
  return {
    id: operation.id,
    instance_id: operation.instanceId,
    kind: operation.kind,
    status: operation.status,
    actor: actorOf(operation),
    error: operation.error,
    created_at: timestamp(operation.createdAt),
    started_at: timestamp(operation.startedAt),
    finished_at: timestamp(operation.finishedAt),
    steps: operation.steps.map(({ name, status, detail, startedAt, finishedAt }) => ({
      name,
      status,
      detail,
      started_at: timestamp(startedAt),
      finished_at: timestamp(finishedAt),
    })),
  }
}

/** An instance as the API shows it, with its last operation. */
export function wireInstance(
  { fleet, health, retention }: { fleet: Fleet; health: HealthWatch; retention: RetentionSettings },
  instance: Instance,
  known?: {
    operation: OperationRecord | null
    digest: string
    rollback: Rollback | null
    disk: DiskUse
    note: Note | null
  },
): WireInstance {
  const {
    operation: last,
    digest,
    rollback,
    disk,
    note,
  } = known ?? {
    operation: instance.operationId ? findOperation(fleet.db, instance.operationId) : null,
    digest: settingsDigest(fleet),
    rollback: findRollback(fleet.db, instance.id),
    disk: diskUseOf(fleet, instance),
    note: findNote(fleet.db, instance.id),
  }
  return {
    id: instance.id,
    subdomain: instance.subdomain,
    owner_email: instance.ownerEmail,
    account_id: instance.accountId,
    url: siteUrl(fleet.site, instance.subdomain),
    status: instance.status,
    status_reason: instance.statusReason,
    volume_fault: instance.volumeFault,
    reachable: reachableAt(instance) !== null,
    desired: instance.desired,
    outdated: hasOlderSettings(instance, digest),
    driver: instance.driver,
    image: instance.image,
    image_id: instance.imageId,
    version: health.versionOf(instance.id) ?? note?.version ?? null,
    behind: isBehind(instance, fleet.defaultImage),
    rollback: rollback && { image: rollback.image, image_id: rollback.imageId, at: timestamp(rollback.at) },
    created_at: timestamp(instance.createdAt),
    last_health_at: timestamp(health.lastHealthyAt(instance.id) ?? instance.lastHealthAt),
    plan: note?.plan ?? null,
    unpaid: note?.unpaid ?? false,
    last_backup_at: timestamp(note?.copiedAt ?? null),
    backup_overdue: note?.copyOverdue ?? false,
    billed: instance.billed,
    suspended_at: timestamp(instance.suspension?.since ?? null),
    suspension: instance.suspension?.reason ?? null,
    deleted_at: timestamp(instance.removal?.deletedAt ?? null),
    deleted_by: instance.removal?.by ?? null,
    purge_at: timestamp(purgeAt(instance, retention, fleet.clock.now())),
    ...wireLimits(fleet, instance, disk),
    operation: last ? wireOperation(last) : null,
  }
}

/** What an instance may take, and what it takes. */
function wireLimits(
  fleet: Fleet,
  instance: Instance,
  { usedBytes, limitBytes, quotaBytes, measuredAt }: DiskUse,
) {
  const { memoryBytes, cpus, pids } = fleet.limits
  return {
    limits: {
      memory_bytes: instance.memoryBytes ?? memoryBytes,
      cpus: instance.cpus ?? cpus,
      processes: instance.pids ?? pids,
      disk_bytes: limitBytes,
      runs_at_once: instance.runsAtOnce ?? fleet.runsAtOnce,
    },
    disk_used_bytes: usedBytes,
    disk_quota_bytes: quotaBytes,
    disk_measured_at: timestamp(measuredAt),
  }
}
