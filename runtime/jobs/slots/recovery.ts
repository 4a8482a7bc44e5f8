import type { Logger } from '../../../src/log.ts'
import { mayStillStart } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import { activeRuns, isPlanned, markEnded } from '../runs/run-record.ts'

/**
 * Takes over from the runtime before, whose processes have ended. Runs that it left behind, because it did not stop
 * cleanly, are interrupted in the table; queued runs stay queued, unless it has become too late for them.
 */
export function endLeftovers(db: JobsDb, now: number, log: Logger): void {
  const left = activeRuns(db).filter(row => row.status === 'running')
  for (const { id } of left) {
    interrupt(db, id, 'the instance ended without stopping while this run was going', now)
  }
  for (const row of activeRuns(db)) {
    if (isPlanned(row) || mayStillStart(row, now)) continue
    interrupt(db, row.id, 'it waited its turn when the instance stopped, and its time is over since', now)
  }
  if (left.length > 0)
    log.warn({ runs: left.length }, 'the runtime before did not stop in order; its runs are interrupted')
}

function interrupt(db: JobsDb, id: string, message: string, now: number): void {
  const error = { message, stack: null }
  markEnded(db, id, { status: 'interrupted', result: null, error, durationMs: null }, now)
}
