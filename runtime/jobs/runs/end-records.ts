import type { Logger } from '../../../src/log.ts'
import type { RunLog } from '../../runner/run-log.ts'
import type { JobsDb } from '../jobs-db.ts'
import { markEnded, type RunEnding, type RunRow } from './run-record.ts'

/** At most this many logs of ended runs stay in memory while the disk does not take them. */
const unsavedLogs = 20

/** Writes how runs end. What the database or the disk does not take stays in memory, and is tried again. */
export interface EndRecords {
  /** `at` is when the run ended. */
  record(id: string, ending: RunEnding, at: number): void
  /** Puts the rest of a log on disk. */
  saveLog(id: string, log: RunLog): void
  /** Writes what could not be written before. */
  retry(): void
  isUnrecorded(id: string): boolean
  /** The log of an ended run that is not on disk yet. */
  log(id: string): RunLog | null
}

/** `onNext` gets the next attempt of a run, when its job has one. */
export function createEndRecords(db: JobsDb, log: Logger, onNext: (row: RunRow) => void): EndRecords {
  const unrecorded = new Map<string, { ending: RunEnding; at: number }>()
  const unsaved = new Map<string, RunLog>()

  const record = (id: string, ending: RunEnding, at: number) => {
    try {
      const next = markEnded(db, id, ending, at)
      unrecorded.delete(id)
      if (next) onNext(next)
    } catch (error) {
      if (!unrecorded.has(id))
        log.error({ err: error, run: id }, 'the end of a run could not be recorded yet')
      unrecorded.set(id, { ending, at })
    }
  }
  return {
    record,
    saveLog: (id, runLog) => {
      if (runLog.end()) return
      unsaved.set(id, runLog)
      if (unsaved.size > unsavedLogs) unsaved.delete(unsaved.keys().next().value as string)
      log.warn({ run: id }, 'the log of a run could not be written; it stays in memory')
    },
    retry: () => {
      for (const [id, runLog] of unsaved) if (runLog.end()) unsaved.delete(id)
      for (const [id, { ending, at }] of unrecorded) record(id, ending, at)
    },
    isUnrecorded: id => unrecorded.has(id),
    log: id => unsaved.get(id) ?? null,
  }
}
