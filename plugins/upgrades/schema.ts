import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { principalKinds } from '../../src/acting.ts'
import { fleetUpgradeStates, memberStatuses } from './contract.ts'

/** Upgrades of the fleet. Times are milliseconds since the epoch. */
export const fleetUpgrades = sqliteTable(
  'upgrades_fleet_upgrades',
  {
    id: text('id').primaryKey(),
    state: text('state', { enum: fleetUpgradeStates }).notNull(),
    /** 1 while it is open, otherwise null: only one can be. */
    open: integer('open'),
    /** Why it halted, or what it could not do; null for nothing. */
    reason: text('reason'),
    /** The image by its name, and what that meant when it was started: every instance gets exactly that one. */
    image: text('image').notNull(),
    imageId: text('image_id').notNull(),
    /** How many instances it works on at the same time. */
    parallel: integer('parallel').notNull(),
    /** How many failures halt it. */
    haltAfter: integer('halt_after').notNull(),
    /** How long it waits between two waves, and how much of that has passed. */
    soakMs: integer('soak_ms').notNull(),
    soakedMs: integer('soaked_ms').notNull().default(0),
    /** The wave that it is at, from 1. */
    wave: integer('wave').notNull(),
    /** The wave that is rolled back while it is `undoing`; null for all. */
    undoWave: integer('undo_wave'),
    /** Who started it, and who had it undone. */
    actorKind: text('actor_kind', { enum: principalKinds }).notNull(),
    actorId: text('actor_id').notNull(),
    actorName: text('actor_name').notNull(),
    undoActorKind: text('undo_actor_kind', { enum: principalKinds }),
    undoActorId: text('undo_actor_id'),
    undoActorName: text('undo_actor_name'),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
  },
  table => [uniqueIndex('upgrades_fleet_upgrades_open').on(table.open)],
)
export type FleetUpgrade = typeof fleetUpgrades.$inferSelect

/** The instances of each fleet upgrade. */
export const members = sqliteTable(
  'upgrades_members',
  {
    upgradeId: text('upgrade_id')
      .notNull()
      .references(() => fleetUpgrades.id),
    instanceId: text('instance_id').notNull(),
    /** Its name when the fleet upgrade was started. */
    subdomain: text('subdomain').notNull(),
    wave: integer('wave').notNull(),
    position: integer('position').notNull(),
    status: text('status', { enum: memberStatuses }).notNull(),
    /** Why it failed, was skipped or could not be rolled back. */
    reason: text('reason'),
    /** Whether an operator resumed the fleet upgrade in spite of its failure, which no longer counts. */
    isAccepted: integer('accepted', { mode: 'boolean' }).notNull().default(false),
    /** The image that it had when the fleet upgrade was started. */
    imageIdBefore: text('image_id_before').notNull(),
    /** Its upgrade and its rollback, once they were opened. */
    operationId: text('operation_id'),
    undoOperationId: text('undo_operation_id'),
    startedAt: integer('started_at'),
    finishedAt: integer('finished_at'),
  },
  table => [
    primaryKey({ columns: [table.upgradeId, table.instanceId] }),
    index('upgrades_members_status').on(table.upgradeId, table.status),
  ],
)
export type Member = typeof members.$inferSelect
