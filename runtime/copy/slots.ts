import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'

const reason = 'it was handled by data that were replaced when the instance went back to an earlier version'

/**
 * Carries the due times that the database `from` has decided on over to `to`, so that an instance which goes back to earlier data
 * runs none of them again. Due times that neither has decided on are left to `catchUp`. A due time counts as it did there, but
 * without its run. Returns how many there were.
 */
export function carrySlots(from: string, to: string): number {
  if (!existsSync(from) || !existsSync(to)) return 0
  const database = new Database(to, { fileMustExist: true })
  try {
    database.prepare('attach ? as gone').run(from)
    if (!hasSlots(database, 'main') || !hasSlots(database, 'gone')) return 0
    const { changes } = database
      .prepare(
        `insert or ignore into main.jobs_slots (jobId, at, outcome, reason, runId, decidedAt)
         select jobId, at, outcome, coalesce(reason || '; ', '') || ?, null, decidedAt from gone.jobs_slots`,
      )
      .run(reason)
    database.pragma('main.wal_checkpoint(TRUNCATE)')
    return changes
  } finally {
    database.close()
  }
}

function hasSlots(database: Database.Database, schema: string): boolean {
  const found = database
    .prepare<[], string>(
      `select name from ${schema}.sqlite_schema where type = 'table' and name = 'jobs_slots'`,
    )
    .pluck()
    .get()
  return found !== undefined
}
