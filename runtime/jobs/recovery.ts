import type { Logger } from '../../src/log.ts'
import { volumeProcesses } from '../process-tree.ts'
import { mayStillStart } from './follow-up.ts'
import type { JobsDb } from './live-set.ts'
import { activeRuns, isPlanned, markEnded } from './run-record.ts'

/**
 * Takes over from the runtime before. What it left running, because it did not stop cleanly, is ended in the table and
 * on the machine; what waited its turn waits on, unless it has become too late for it.
 */
export function endLeftovers(db: JobsDb, volumeDir: string, now: number, log: Logger): void {
  const processes = killVolumeProcesses(volumeDir)
  const left = activeRuns(db).filter(row => row.status === 'running')
  for (const { id } of left) {
    interrupt(db, id, 'the instance ended without stopping while this run was going', now)
  }
  for (const row of activeRuns(db)) {
    if (isPlanned(row) || mayStillStart(row, now)) continue
    interrupt(db, row.id, 'it waited its turn when the instance stopped, and its time is over since', now)
  }
  if (left.length > 0 || processes > 0) {
    const found = { runs: left.length, processes }
    log.warn(found, 'the runtime before did not stop in order; what it left is ended')
  }
}

const mostLooks = 20

/** Kills whatever works for a runtime on the volume, but this process, and tells how many that were. */
export function killVolumeProcesses(volumeDir: string): number {
  const killed = new Set<number>()
  // What is killed may have started another one just before.
  for (let look = 0; look < mostLooks; look++) {
    const processes = volumeProcesses(volumeDir)
    if (processes.length === 0) break
    for (const pid of processes) {
      killed.add(pid)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
  }
  return killed.size
}

function interrupt(db: JobsDb, id: string, message: string, now: number): void {
  const error = { message, stack: null }
  markEnded(db, id, { status: 'interrupted', result: null, error, durationMs: null }, now)
}
