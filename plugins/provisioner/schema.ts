import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

import { principalKinds } from '../../src/acting.ts'
import {
  desiredStates,
  instanceStatuses,
  operationKinds,
  operationStatuses,
  removers,
  stepStatuses,
  volumeFaults,
} from './contract.ts'
import { driverNames } from './driver.ts'

/** One row an instance, kept after a purge as the history of its name. */
export const instances = sqliteTable(
  'provisioner_instances',
  {
    id: text('id').primaryKey(),
    subdomain: text('subdomain').notNull(),
    ownerEmail: text('owner_email').notNull(),
    /** The owner's account; null while an instance that the operator created is unclaimed. */
    accountId: text('account_id'),
    desired: text('desired', { enum: desiredStates }).notNull(),
    status: text('status', { enum: instanceStatuses }).notNull(),
    /** Why it is failed or unhealthy, in words for an operator. */
    statusReason: text('status_reason'),
    driver: text('driver', { enum: driverNames }).notNull(),
    /** The image's name, as the operator gave it. */
    image: text('image').notNull(),
    /** The image that it is pinned to, whatever that name means by now: only an upgrade changes it. Null while none is. */
    imageId: text('image_id'),
    passwordHash: text('password_hash').notNull(),
    /** When the operator gave it to another owner last. */
    handedOverAt: integer('handed_over_at'),
    /** Where it listened when last seen: a hint that the router checks with every request. */
    host: text('host'),
    port: integer('port'),
    /** Whether it answered as itself when last seen there, whatever its checks said: then it is routed. */
    answers: integer('answers', { mode: 'boolean' }).notNull().default(false),
    /** What its container was made with, as a digest of the settings of then; null when that is not known. */
    settings: text('settings'),
    createdAt: integer('created_at').notNull(),
    /** When it was healthy for the first time: from then on it has a volume, and never gets another by itself. */
    readyAt: integer('ready_at'),
    lastHealthAt: integer('last_health_at'),
    /** When its id was written into its volume; null for a volume of an earlier version that was not seen since. */
    volumeMarkedAt: integer('volume_marked_at'),
    /** What the operator allowed it to start with: an empty volume, or the one that stands in its place. */
    volumePermit: text('volume_permit', { enum: ['new', 'adopt'] }),
    /** Why it is failed, when that is for its volume; it goes on by itself once the volume is back. */
    volumeFault: text('volume_fault', { enum: volumeFaults }),
    /** The newest operation. */
    operationId: text('operation_id'),
    /** The copy that its volume is to be made from; null once it is, and for an instance that was made empty. */
    pendingCopyId: text('pending_copy_id'),
    /** The instances whose keys open secrets in its volume, beside its own: it was made from their copies. */
    secretsOf: text('secrets_of', { mode: 'json' }).$type<string[]>().notNull().default([]),
    /** Whether billing has a say in it: not in what the operator made, until they say so. */
    billed: integer('billed', { mode: 'boolean' }).notNull().default(true),
    /** What its container may take; null for what every instance may. */
    memoryBytes: integer('memory_bytes'),
    cpus: real('cpus'),
    pids: integer('pids'),
    diskBytes: integer('disk_bytes'),
    runsAtOnce: integer('runs_at_once'),
    /** A digest of the operator's variables that its container was made with; null for none. */
    variables: text('variables'),
    /** When the volume was deleted; from then on the subdomain is free. */
    purgedAt: integer('purged_at'),
  },
  table => [
    uniqueIndex('provisioner_instances_subdomain').on(table.subdomain).where(sql`${table.purgedAt} is null`),
    index('provisioner_instances_account').on(table.accountId),
  ],
)
export type InstanceRow = typeof instances.$inferSelect

/** How much of the disk each volume takes, as it was last measured. */
export const diskUses = sqliteTable('provisioner_disk_uses', {
  instanceId: text('instance_id')
    .primaryKey()
    .references(() => instances.id),
  bytes: integer('bytes').notNull(),
  measuredAt: integer('measured_at').notNull(),
  /** The quota at which the file system stops it, as last seen; null where it is only watched. */
  quotaBytes: integer('quota_bytes'),
})

/**
 * What other plugins and health checks know of an instance, kept here so that the operator's list can be filtered and sorted by it in
 * one query. Each is written by the one who knows it, again and again: a row that is missing says nothing.
 */
export const notes = sqliteTable('provisioner_notes', {
  instanceId: text('instance_id')
    .primaryKey()
    .references(() => instances.id),
  /** The name of the plan that pays for it, and whether nothing does though something should. */
  plan: text('plan'),
  unpaid: integer('unpaid', { mode: 'boolean' }).notNull().default(false),
  /** When its newest copy was made, and whether it should have a newer or a proven one. */
  copiedAt: integer('copied_at'),
  copyOverdue: integer('copy_overdue', { mode: 'boolean' }).notNull().default(false),
  /** The version of its runtime when it was last healthy, and the same as a text that sorts as versions do. */
  version: text('version'),
  versionOrder: text('version_order'),
})
export type Note = typeof notes.$inferSelect

/**
 * One row for each instance whose desired state is `deleted`: why it went, what undoing that brings back, and how long its
 * volume has been kept. A purged instance keeps its row.
 */
export const removals = sqliteTable('provisioner_removals', {
  instanceId: text('instance_id')
    .primaryKey()
    .references(() => instances.id),
  /** Who had it removed; null for one that was removed before this was recorded. */
  by: text('removed_by', { enum: removers }),
  /** The desired state of before: undoing goes back to it. */
  desiredBefore: text('desired_before', { enum: ['running', 'stopped'] }).notNull(),
  /** When the container was gone and the retention period began; null until then. */
  deletedAt: integer('deleted_at'),
  /** How much of the retention period passed in earlier removals: see `Suspension.keptMs`. */
  carriedMs: integer('carried_ms').notNull().default(0),
  /** How much of it passed in this one, as far as the timer saw, and when the timer last looked. */
  servedMs: integer('served_ms').notNull().default(0),
  seenAt: integer('seen_at'),
  /** Why the timer did not delete the volume though the period is over. */
  objection: text('objection'),
  /** When a purge was requested; it stays requested until the volume is deleted. */
  purgeRequestedAt: integer('purge_requested_at'),
  /**
   * What the purge may delete though it does not say that it is this instance's: the operator looked at it, and allowed
   * that. See `permitFor`.
   */
  volumePermit: text('volume_permit'),
  /** When the operator had the data deleted even if no copy of them can be made; null when they did not. */
  withoutCopyAt: integer('without_copy_at'),
})
export type Removal = typeof removals.$inferSelect

/** One row for each instance that does not run, whatever is desired. */
export const suspensions = sqliteTable('provisioner_suspensions', {
  instanceId: text('instance_id')
    .primaryKey()
    .references(() => instances.id),
  since: integer('suspended_at').notNull(),
  /** In words for its owner. */
  reason: text('reason').notNull(),
  /** How much of the retention period passed in removals that ended while this suspension went on. */
  keptMs: integer('kept_ms').notNull().default(0),
})
export type Suspension = typeof suspensions.$inferSelect

/** An instance with its removal and its suspension, if any. */
export type Instance = InstanceRow & {
  /** Null unless the desired state is `deleted`. */
  removal: Removal | null
  /** Null while it may run. */
  suspension: Suspension | null
}

/** Environment variables that the operator set for one instance. Values are sealed. */
export const variables = sqliteTable(
  'provisioner_variables',
  {
    instanceId: text('instance_id')
      .notNull()
      .references(() => instances.id),
    name: text('name').notNull(),
    sealed: text('sealed').notNull(),
    /** It is masked in the log and never shown again. */
    secret: integer('secret', { mode: 'boolean' }).notNull().default(true),
    updatedAt: integer('updated_at').notNull(),
    /** Who set it, in words. */
    updatedBy: text('updated_by'),
  },
  table => [primaryKey({ columns: [table.instanceId, table.name] })],
)

/** When an instance moved from one status to another, and why. */
export const statusChanges = sqliteTable(
  'provisioner_status_changes',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    instanceId: text('instance_id')
      .notNull()
      .references(() => instances.id),
    at: integer('at').notNull(),
    status: text('status', { enum: instanceStatuses }).notNull(),
    reason: text('reason'),
  },
  table => [index('provisioner_status_changes_instance').on(table.instanceId, table.id)],
)

export const operations = sqliteTable(
  'provisioner_operations',
  {
    id: text('id').primaryKey(),
    instanceId: text('instance_id')
      .notNull()
      .references(() => instances.id),
    kind: text('kind', { enum: operationKinds }).notNull(),
    status: text('status', { enum: operationStatuses }).notNull(),
    /** The image that it brings; the instance's own when it brings none. */
    image: text('image'),
    /** The same by its id, where that was decided when it was opened; null for what the name means when it is carried out. */
    imageId: text('image_id'),
    /** The copy that it restores. */
    copyId: text('copy_id'),
    /** The image that it replaced, by name and id, from the moment that it did: undoing it goes back to that. */
    previousImage: text('previous_image'),
    previousImageId: text('previous_image_id'),
    /** Why it failed. Already set while it is still open: what it did is being undone. */
    error: text('error'),
    /** Who asked for it; null for one that was opened before this was recorded. */
    actorKind: text('actor_kind', { enum: principalKinds }),
    actorId: text('actor_id'),
    actorName: text('actor_name'),
    /** True when trying the same again cannot help. */
    permanent: integer('permanent', { mode: 'boolean' }).notNull().default(false),
    createdAt: integer('created_at').notNull(),
    startedAt: integer('started_at'),
    finishedAt: integer('finished_at'),
  },
  table => [
    index('provisioner_operations_instance').on(table.instanceId, table.createdAt),
    // At most one operation of an instance is open: a newer one supersedes it in the same transaction.
    uniqueIndex('provisioner_operations_open')
      .on(table.instanceId)
      .where(sql`${table.status} in ('pending', 'running')`),
  ],
)
export type Operation = typeof operations.$inferSelect

/**
 * One row for each instance that can go back to before its last upgrade: the image of then, and the upgrade whose name its data
 * of then are kept under.
 */
export const rollbacks = sqliteTable('provisioner_rollbacks', {
  instanceId: text('instance_id')
    .primaryKey()
    .references(() => instances.id),
  operationId: text('operation_id').notNull(),
  image: text('image').notNull(),
  imageId: text('image_id'),
  /** When its data were kept: going back returns to this moment. */
  at: integer('kept_at').notNull(),
})
export type Rollback = typeof rollbacks.$inferSelect

export const steps = sqliteTable(
  'provisioner_steps',
  {
    operationId: text('operation_id')
      .notNull()
      .references(() => operations.id),
    position: integer('position').notNull(),
    name: text('name').notNull(),
    status: text('status', { enum: stepStatuses }).notNull(),
    detail: text('detail'),
    startedAt: integer('started_at'),
    finishedAt: integer('finished_at'),
  },
  table => [primaryKey({ columns: [table.operationId, table.position] })],
)
export type Step = typeof steps.$inferSelect
