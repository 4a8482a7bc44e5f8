import type { Logger } from '../../../src/log.ts'
import { mayStillStart } from '../follow-up.ts'
import type { JobsDb } from '../jobs-db.ts'
import { activeRuns, isPlanned, markEnded } from '../runs/run-record.ts'

/**
 * Cleans up after the runtime before, whose processes have ended:
 *
 * 1. Runs in progress are interrupted: that runtime did not stop cleanly.
 * 2. Queued runs stay queued if they may still start by the rule of their job; else they are interrupted too.
 */
export function endLeftovers(db: JobsDb, now: number, log: Logger): void {
  const left = activeRuns(db).filter(row => row.status === 'running')
  for (const { id } of left) {
    interrupt(db, id, 'the instance ended without stopping while this run was in progress', now)
  }
  for (const row of activeRuns(db)) {
    if (isPlanned(row) || mayStillStart(row, now)) continue
    interrupt(
      db,
      row.id,
      'it was queued when the instance stopped, and by now it is too late to start it',
      now,
    )
  }
  if (left.length > 0)
    log.warn({ runs: left.length }, 'the runtime before did not stop cleanly; its runs are interrupted')
}

function interrupt(db: JobsDb, id: string, message: string, now: number): void {
  const error = { message, stack: null }
  markEnded(db, id, { status: 'interrupted', result: null, error, durationMs: null }, now)
}
