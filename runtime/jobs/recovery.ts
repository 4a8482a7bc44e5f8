import type { Logger } from '../../src/log.ts'
import { markedProcesses } from '../process-tree.ts'
import type { JobsDb } from './live-set.ts'
import { activeRuns, isPlanned, markEnded } from './run-record.ts'

/** After a runtime that did not stop cleanly: ends what it left running, in the table and on the machine. */
export function endLeftovers(db: JobsDb, now: number, log: Logger): void {
  const left = activeRuns(db).filter(row => !isPlanned(row))
  if (left.length === 0) return
  for (const pid of markedProcesses(new Set(left.map(row => row.id)))) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  for (const row of left) {
    const message = 'the instance ended without stopping while this run was going'
    markEnded(
      db,
      row.id,
      { status: 'interrupted', result: null, error: { message, stack: null }, durationMs: null },
      now,
    )
  }
  log.warn({ runs: left.length }, 'runs of a runtime that ended before are interrupted')
}
