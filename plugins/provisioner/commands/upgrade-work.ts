import { and, desc, eq, inArray, isNull, sql } from 'drizzle-orm'
import { notPossibleNow, type UpgradeSubject, type UpgradeWork } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { getInstance, type ProvisionerDb, selectInstances, wanted } from '../records/instance.ts'
import { findOperation, openOperation, openOperationOf } from '../records/operation.ts'
import { findRollbacks } from '../records/pinned-image.ts'
import { planOf } from '../records/plan.ts'
import { type Instance, instances, operations } from '../schema.ts'
import { refuseIfImpossible } from './commands.ts'
import { refuseBeforeCopy } from './owed-copy.ts'
import { rollBack } from './roll-back.ts'
import { notRuntime } from './upgrade-image.ts'

/** How many of the newest upgrades say how long one takes. */
const measuredUpgrades = 20

/** What a fleet upgrade asks of the provisioner. `act` makes the reconciler act. */
export function upgradeWork(fleet: Fleet, act: () => void): UpgradeWork {
  const { db, clock, driver, defaultImage } = fleet
  return {
    defaultImage: driver.usesImages ? defaultImage.name : null,
    findImage: image => driver.findImage(image),
    imageFault: async ({ image, imageId }) => ((await driver.isRuntime(imageId)) ? null : notRuntime(image)),
    subjects: ids => subjectsOf(db, ids),
    upgrade: (id, { image, imageId, opened }) => {
      db.transaction(() => {
        const instance = idle(db, id)
        refuseIfImpossible(instance, 'upgrade')
        refuseBeforeCopy(fleet, instance)
        const operation = { instanceId: id, kind: 'upgrade', image, imageId } as const
        const operationId = openOperation(fleet, operation, clock.now(), planOf('upgrade', wanted(instance)))
        fleet.changed({
          ...{ instanceId: id, subdomain: instance.subdomain, change: 'upgrade', operationId },
          ...{ result: 'accepted', detail: `image ${image}` },
        })
        opened(operationId)
      })
      act()
    },
    rollBack: async (id, { undoes, opened }) => {
      await rollBack(fleet, getInstance(db, id).subdomain, {
        undoes,
        opened: operationId => {
          opened(operationId)
          act()
        },
      })
    },
    outcome: operationId => findOperation(db, operationId),
    typicalMs: () => typicalMs(db),
  }
}

/** Throws when other work on the instance is open: a fleet upgrade waits for that, and never takes its place. */
function idle(db: ProvisionerDb, id: string): Instance {
  const instance = getInstance(db, id)
  const open = openOperationOf(db, id)
  if (open) throw notPossibleNow(`Another operation on "${instance.subdomain}" is in progress: ${open.kind}.`)
  return instance
}

function subjectsOf(db: ProvisionerDb, ids?: readonly string[]): UpgradeSubject[] {
  const which = ids && inArray(instances.id, sql`(select value from json_each(${JSON.stringify(ids)}))`)
  const rows = selectInstances(db)
    .where(and(isNull(instances.purgedAt), which))
    .orderBy(instances.subdomain)
    .all()
  const rollbacks = findRollbacks(
    db,
    rows.map(({ id }) => id),
  )
  const open = new Map(
    db
      .select({ instanceId: operations.instanceId, kind: operations.kind })
      .from(operations)
      .where(sql`${operations.status} in ('pending', 'running')`)
      .all()
      .map(({ instanceId, kind }) => [instanceId, kind]),
  )
  return rows.map(row => ({
    id: row.id,
    subdomain: row.subdomain,
    status: row.status,
    statusReason: row.statusReason,
    wanted: wanted(row),
    suspended: row.suspension !== null,
    imageId: row.imageId,
    work: open.get(row.id) ?? null,
    undoes: rollbacks.get(row.id)?.operationId ?? null,
  }))
}

function typicalMs(db: ProvisionerDb): number | null {
  const times = db
    .select({ startedAt: operations.startedAt, finishedAt: operations.finishedAt })
    .from(operations)
    .where(and(eq(operations.kind, 'upgrade'), eq(operations.status, 'succeeded')))
    .orderBy(desc(operations.id))
    .limit(measuredUpgrades)
    .all()
    .map(({ startedAt, finishedAt }) => Math.max(0, (finishedAt ?? 0) - (startedAt ?? 0)))
    .sort((a, b) => a - b)
  return times[Math.floor(times.length / 2)] ?? null
}
