import type { Logger } from '../../src/log.ts'
import { volumeProcesses } from '../process-tree.ts'
import type { JobsDb } from './live-set.ts'
import { activeRuns, isPlanned, markEnded } from './run-record.ts'

/** After a runtime that did not stop cleanly: ends what it left running, in the table and on the machine. */
export function endLeftovers(db: JobsDb, volumeDir: string, now: number, log: Logger): void {
  const processes = volumeProcesses(volumeDir)
  for (const pid of processes) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  const left = activeRuns(db).filter(row => !isPlanned(row))
  for (const row of left) {
    const message = 'the instance ended without stopping while this run was going'
    markEnded(
      db,
      row.id,
      { status: 'interrupted', result: null, error: { message, stack: null }, durationMs: null },
      now,
    )
  }
  if (left.length > 0 || processes.length > 0) {
    const found = { runs: left.length, processes: processes.length }
    log.warn(found, 'the runtime before did not stop in order; what it left is ended')
  }
}
