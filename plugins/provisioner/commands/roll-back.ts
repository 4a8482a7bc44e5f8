import { notPossibleNow } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { requireInstance, wanted } from '../records/instance.ts'
import { type Accepted, openOperation, openOperationOf } from '../records/operation.ts'
import { findRollback } from '../records/pinned-image.ts'
import { planOf } from '../records/plan.ts'
import type { Instance, Rollback } from '../schema.ts'
import { isKept } from '../volumes/kept.ts'
import { refuseIfImpossible } from './commands.ts'
import { refuseBeforeCopy } from './owed-copy.ts'

/**
 * Requests that an instance goes back to before its last upgrade: to the image and the data of then. The data that it has now are
 * copied first. Throws `not-possible-now` when there is nothing to go back to.
 *
 * With `of`, only that upgrade is taken back, and no other operation is superseded for it; `opened` is called in the transaction
 * that opens the operation.
 */
export async function rollBack(
  fleet: Fleet,
  subdomain: string,
  of?: { undoes: string; opened(operationId: string): void },
): Promise<Accepted> {
  const { db, clock } = fleet
  const there = await rollbackOf(fleet, requireInstance(db, subdomain))
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    refuseIfImpossible(instance, 'rollback')
    refuseBeforeCopy(fleet, instance)
    const open = openOperationOf(db, instance.id)
    if (of && open) throw notPossibleNow(`Another operation on "${subdomain}" is in progress: ${open.kind}.`)
    if (open?.kind === 'rollback') return { instanceId: instance.id, operationId: open.id }
    const rollback = findRollback(db, instance.id)
    const isAsked = rollback?.operationId === (of?.undoes ?? there?.operationId)
    if (!rollback || !isAsked || rollback.operationId !== there?.operationId)
      throw notPossibleNow(
        `"${subdomain}" has nothing to roll back to: it was not upgraded, or the data of before are no longer kept. Restore a backup instead.`,
      )
    const operation = { instanceId: instance.id, kind: 'rollback', image: rollback.image } as const
    const plan = planOf('rollback', wanted(instance))
    const operationId = openOperation(fleet, operation, clock.now(), plan)
    fleet.changed({
      instanceId: instance.id,
      subdomain,
      change: 'rollback',
      operationId,
      result: 'accepted',
      detail: `to ${rollback.image}`,
    })
    of?.opened(operationId)
    return { instanceId: instance.id, operationId }
  })
}

/** What an instance can go back to; null when that is nothing, or its data are gone. */
async function rollbackOf({ db, site }: Fleet, { id }: Pick<Instance, 'id'>): Promise<Rollback | null> {
  const rollback = findRollback(db, id)
  return rollback && (await isKept(site.dataRoot, id, rollback.operationId)) ? rollback : null
}
