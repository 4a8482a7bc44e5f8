import type { Fleet } from './fleet.ts'
import { getInstance, updateInstance } from './instance.ts'
import { openOperation } from './operation.ts'

/** Keeps an instance from running until it is resumed; `why` is for its owner. False when it was suspended already. */
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

/** Lifts a suspension; false when there was none. */
export function resumeInstance({ db, clock }: Fleet, id: string): boolean {
  return db.transaction(() => {
    const instance = getInstance(db, id)
    if (instance.suspendedAt === null) return false
    updateInstance(db, id, { suspendedAt: null, suspension: null })
    // What may run owes nothing of the time that it was kept.
    if (instance.desired !== 'deleted') updateInstance(db, id, { retentionCarriedMs: 0 })
    if (instance.desired === 'running')
      openOperation(db, { instanceId: id, kind: 'start', image: null }, clock.now())
    return true
  })
}
