import type { WebContext } from './context.ts'

/** Resolves when the run is over, the signal aborts, or the program stops. */
export function runEnd(web: WebContext, runId: string, signal: AbortSignal): Promise<void> {
  const engine = web.engine()
  return new Promise(resolve => {
    const given = AbortSignal.any([signal, web.stopping])
    let stop = () => {}
    const done = () => {
      given.removeEventListener('abort', done)
      stop()
      resolve()
    }
    if (given.aborted || engine.getRun(runId)?.finishedAt !== null) return done()
    given.addEventListener('abort', done, { once: true })
    stop = engine.openLog(runId).follow(piece => {
      if (piece === null) done()
    })
  })
}
