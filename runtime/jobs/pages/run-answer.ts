import { preferredWait } from '../../../src/http/negotiate.ts'
import type { AppContext } from '../../../src/http/route.ts'
import type { JobsService } from '../contract.ts'
import { unknownRun } from '../problems.ts'
import { runJson } from './wire.ts'

/** Responds with a new run, or with Prefer: wait once it has ended. */
export async function answerRun(
  c: AppContext,
  { runs }: Pick<JobsService, 'runs'>,
  id: string,
): Promise<Response> {
  const seconds = preferredWait(c)
  if (seconds > 0) {
    await runs.end(id, AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(seconds * 1000)]))
    c.header('Preference-Applied', `wait=${seconds}`)
  }
  const run = runs.find(id)
  if (!run) throw unknownRun(`The run "${id}" is gone.`)
  c.header('Location', `/api/runs/${id}`)
  return c.json(runJson(run), run.finishedAt === null ? 202 : 200)
}
