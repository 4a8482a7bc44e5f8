import { logFile, readLog } from '../../runner/log-file.ts'
import { asWritten } from '../../runner/log-line.ts'
import { storedLog } from '../../runner/open-log.ts'
import type { RunLogs } from '../contract.ts'
import type { JobsDb } from '../jobs-db.ts'
import { searchRuns } from './log-search.ts'
import type { RunQueue } from './run-queue.ts'
import { listRuns } from './run-record.ts'

/** The logs of runs: in memory while a run is in progress, in its file after that. */
export function runLogs(options: { db: JobsDb; queue: Pick<RunQueue, 'log'>; runsDir: string }): RunLogs {
  const { db, queue, runsDir } = options
  const timed = (runId: string) => queue.log(runId)?.text() ?? readLog(logFile(runsDir, runId))
  const text = (runId: string) => asWritten(timed(runId))
  return {
    text,
    timed,
    open: runId => queue.log(runId) ?? storedLog(() => timed(runId)),
    search: wanted => searchRuns({ list: filter => listRuns(db, filter), logOf: text }, wanted),
  }
}
