import Database from 'better-sqlite3'

export interface SettleOptions {
  /** When the instance stopped, or now: due times until then count as done. Milliseconds since the epoch. */
  now: number
  /** Turns every job off: another instance has the same schedules and runs, or no job may run. */
  hold: boolean
  /** Forgets where to send notices, and the remote: for a copy that is only tried out. */
  quiet: boolean
  /** Leaves due times as they are: those that were decided since have been carried over, see `carrySlots`. */
  keepDueTimes?: boolean
}

const why = 'the instance was restored from a copy'

/**
 * Prepares the database of a restored volume for its first start. What happened after the copy was made is not in it, and must
 * not happen twice:
 *
 * 1. Due times until now count as done: each job's schedule begins now. `catchUp` runs none of them again.
 * 2. Runs that were queued or in progress are interrupted, and so are planned retries.
 * 3. Messages that were waiting are not sent.
 * 4. Everyone is signed out: sessions that ended after the copy would come back.
 *
 * Tables that this version of the database does not have yet are left out.
 */
export function settleVolume(file: string, { now, hold, quiet, keepDueTimes = false }: SettleOptions): void {
  const database = new Database(file, { fileMustExist: true })
  try {
    const has = tablesOf(database)
    const change = (table: string, statement: string, ...values: (number | string)[]) => {
      if (has.has(table)) database.prepare(statement).run(...values)
    }
    database.transaction(() => {
      if (!keepDueTimes)
        change('jobs_schedules', 'update jobs_schedules set since = ? where since < ?', now, now)
      change(
        'jobs_runs',
        "update jobs_runs set status = 'interrupted', finishedAt = ?, notBefore = null, errorMessage = ? where status in ('queued', 'running')",
        now,
        why,
      )
      change(
        'notices_messages',
        "update notices_messages set status = 'failed', finished_at = ?, error = ? where status in ('queued', 'sending')",
        now,
        `not sent: ${why}`,
      )
      change('notices_commit_statuses', 'update notices_commit_statuses set next_at = null')
      change('auth_sessions', 'delete from auth_sessions')
      if (hold || quiet) change('jobs_schedules', 'update jobs_schedules set enabled = 0')
      if (!quiet) return
      change('notices_settings', 'delete from notices_settings')
      change('sync_remotes', 'delete from sync_remotes')
    })()
    database.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    database.close()
  }
}

function tablesOf(database: Database.Database): ReadonlySet<string> {
  const names = database.prepare<[], string>("select name from sqlite_schema where type = 'table'").pluck()
  return new Set(names.all())
}
