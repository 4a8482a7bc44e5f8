import { z } from 'zod'
import { localPath } from '../../src/http/local-path.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type Route, route } from '../../src/http/route.ts'
import type { Engine, Run } from '../contract.ts'
import type { WebContext } from './context.ts'
import { unknownRun } from './problems.ts'
import { logEvents } from './run-log.ts'
import { runJson, runShape } from './wire.ts'

const params = z.object({ id: z.string() })

/** Single runs: what became of one, what it wrote, and how to end it. */
export function runRoutes({ engine, signedIn: guard, mayRun, stopping }: WebContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/runs/{id}',
      summary: 'One run',
      guard,
      params,
      answers: { 200: { description: 'The run', schema: runShape } },
      handle: (c, { params }) => c.json(runJson(knownRun(engine(), params.id))),
    }),

    route({
      method: 'get',
      path: '/api/runs/{id}/log',
      summary: 'What the run wrote; with `Accept: text/event-stream` live, up to an event `end` with the run',
      guard,
      params,
      query: z.object({
        timestamps: z.enum(['true', 'false'], 'must be true or false').default('false').meta({
          description:
            'Begin each line with when it was written and to which stream: `2026-11-22T08:00:00.123Z out …`, or `err`',
        }),
      }),
      answers: {
        200: { description: 'The log so far, or its events', type: ['text/plain', 'text/event-stream'] },
      },
      handle: (c, { params, query }) => {
        const run = knownRun(engine(), params.id)
        const timed = query.timestamps === 'true'
        if ((c.req.header('accept') ?? '').includes('text/event-stream'))
          return logEvents(engine(), run, { timed, stopping })
        return c.text(timed ? engine().timedLog(run.id) : engine().log(run.id))
      },
    }),

    route({
      method: 'post',
      path: '/api/runs/{id}/cancel',
      summary: 'End a queued or running run; one that is over stays as it is',
      guard: mayRun,
      params,
      body: z.object({ next: z.string().optional() }),
      answers: { 200: { description: 'The run', schema: runShape }, 303: { description: 'For a browser' } },
      handle: async (c, { params, body }) => {
        const run = await engine().cancel(knownRun(engine(), params.id).id)
        if (!run) throw noSuchRun(params.id)
        return wantsPage(c) ? c.redirect(localPath(body.next, `/runs/${run.id}`), 303) : c.json(runJson(run))
      },
    }),
  ]
}

export function knownRun(engine: Engine, id: string): Run {
  const run = engine.getRun(id)
  if (!run) throw noSuchRun(id)
  return run
}

function noSuchRun(id: string) {
  return unknownRun(`There is no run "${id}". Old ones are forgotten in time.`)
}
