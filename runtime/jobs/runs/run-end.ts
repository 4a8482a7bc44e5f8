import type { RunLogs, Runs } from '../contract.ts'

/** Resolves when the run is over or the signal aborts. */
export function runEnd(
  { find, logs }: Pick<Runs, 'find'> & { logs: Pick<RunLogs, 'open'> },
  runId: string,
  signal: AbortSignal,
): Promise<void> {
  return new Promise(resolve => {
    let stop = () => {}
    const done = () => {
      signal.removeEventListener('abort', done)
      stop()
      resolve()
    }
    if (signal.aborted || find(runId)?.finishedAt !== null) return done()
    signal.addEventListener('abort', done, { once: true })
    stop = logs.open(runId).follow(piece => {
      if (piece === null) done()
    })
  })
}
