import { preferredWait } from '../../src/http/negotiate.ts'
import type { AppContext } from '../../src/http/route.ts'
import type { WebContext } from './context.ts'
import { unknownRun } from './problems.ts'
import { runEnd } from './run-end.ts'
import { runJson } from './wire.ts'

/** Answers with a run that was just made; when that is preferred, once it is over. */
export async function answerRun(c: AppContext, web: WebContext, id: string): Promise<Response> {
  const seconds = preferredWait(c)
  if (seconds > 0) {
    await runEnd(web, id, AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(seconds * 1000)]))
    c.header('Preference-Applied', `wait=${seconds}`)
  }
  const run = web.engine().getRun(id)
  if (!run) throw unknownRun(`The run "${id}" is gone.`)
  c.header('Location', `/api/runs/${id}`)
  return c.json(runJson(run), run.finishedAt === null ? 202 : 200)
}
