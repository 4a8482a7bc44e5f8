import { inArray, notInArray, sql } from 'drizzle-orm'
import { runs, slots } from '../schema.ts'
import type { JobsDb } from './live-set.ts'
import { logFile, removeLog } from './run-log.ts'
import { activeStatuses } from './run-record.ts'

export interface Retention {
  runsPerJob: number
  slotsPerJob: number
}

/** Forgets the oldest runs of each job, with their logs, and the oldest slots. Returns how many runs went. */
export async function pruneHistory(db: JobsDb, runsDir: string, keep: Retention): Promise<number> {
  const oldRuns = sql`(select seq from (select seq, row_number() over (partition by ${runs.jobId} order by seq desc) as place from ${runs}) where place > ${keep.runsPerJob})`
  const gone = db
    .delete(runs)
    .where(sql`${inArray(runs.seq, oldRuns)} and ${notInArray(runs.status, activeStatuses)}`)
    .returning({ id: runs.id })
    .all()
  const oldSlots = sql`(select rowid from (select rowid, row_number() over (partition by ${slots.jobId} order by ${slots.at} desc) as place from ${slots}) where place > ${keep.slotsPerJob})`
  db.delete(slots).where(sql`rowid in ${oldSlots}`).run()
  for (const { id } of gone) await removeLog(logFile(runsDir, id))
  return gone.length
}
