import type { Fleet } from './fleet.ts'
import { getInstance, updateInstance } from './instance.ts'
import { openOperation } from './operation.ts'

/** Stops an instance until it is resumed. Its owner is shown `why`. Returns false when it was suspended already. */
export function suspendInstance({ db, clock }: Fleet, id: string, why: string): boolean {
  return db.transaction(() => {
    const instance = getInstance(db, id)
    if (instance.suspension === why) return false
    updateInstance(db, id, {
      suspendedAt: instance.suspendedAt ?? clock.now(),
      suspension: why,
      volumePermit: null,
    })
    if (instance.suspendedAt !== null) return false
    if (instance.desired === 'running')
      openOperation(db, { instanceId: id, kind: 'stop', image: null }, clock.now())
    return true
  })
}

/** Lifts a suspension. Returns false when there was none. */
export function resumeInstance({ db, clock }: Fleet, id: string): boolean {
  return db.transaction(() => {
    const instance = getInstance(db, id)
    if (instance.suspendedAt === null) return false
    updateInstance(db, id, { suspendedAt: null, suspension: null })
    // Once it may run, its next retention period starts from zero.
    if (instance.desired !== 'deleted') updateInstance(db, id, { retentionCarriedMs: 0 })
    if (instance.desired === 'running')
      openOperation(db, { instanceId: id, kind: 'start', image: null }, clock.now())
    return true
  })
}
