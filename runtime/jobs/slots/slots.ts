import type { Slots } from '../contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import { findSlots, listSlots, recentSlots } from './ledger.ts'

/** What became of slots, as other features ask for it. */
export function slotService(db: JobsDb): Slots {
  return {
    list: (jobId, filter) => listSlots(db, jobId, filter),
    recent: (jobIds, filter) => recentSlots(db, jobIds, filter),
    ledger: filter => findSlots(db, filter),
  }
}
