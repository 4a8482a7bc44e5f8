import { z } from 'zod'
import { listWindow } from '../../src/http/list-window.ts'
import { localPath } from '../../src/http/local-path.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type Route, route } from '../../src/http/route.ts'
import type { Engine, Job } from '../contract.ts'
import { unknownJob } from '../problems.ts'
import type { WebContext } from './context.ts'
import { jobJson, jobShape } from './job-wire.ts'
import { searchRuns } from './log-search.ts'
import { answerRun } from './run-answer.ts'
import { linked, linkHeader, refuseCursor, runListShape, runWindow, windowOf } from './run-list.ts'
import { manifestJson, manifestShape, runJson, runShape, slotJson, slotShape, timeField } from './wire.ts'

const params = z.object({ id: z.string() })
const matchShape = z.object({
  in: z
    .enum(['log', 'error'])
    .meta({ description: 'Whose line it is: of the log, or of the error’s message' }),
  line: z.int().meta({ description: 'Its number, from 1; `/runs/<id>?line=<line>` shows it in the log' }),
  text: z.string(),
})
const foundRunShape = runShape.extend({ match: matchShape.optional() }).meta({ id: 'FoundRun' })
/** Where a browser goes on to after a form. */
const next = z.string().optional().meta({ description: 'Where a browser goes on to: a path of this site' })

/** The registered jobs: list, run, enable, disable, history. */
export function jobRoutes(web: WebContext): Route[] {
  const { engine, signedIn: guard } = web

  const setEnabled = (enabled: boolean) =>
    route({
      method: 'post',
      path: `/api/jobs/{id}/${enabled ? 'enable' : 'disable'}`,
      summary: enabled ? 'Let the schedule start it' : 'Keep the schedule from starting it',
      guard,
      params,
      body: z.object({ next }),
      answers: { 200: { description: 'The job', schema: jobShape }, 303: { description: 'For a browser' } },
      handle: (c, { params: { id }, body }) => {
        const job = engine().setEnabled(known(engine(), id).id, enabled)
        return wantsPage(c) ? c.redirect(localPath(body.next, `/jobs/${id}`), 303) : c.json(jobJson(job))
      },
    })

  return [
    route({
      method: 'get',
      path: '/api/jobs',
      summary: 'Registered jobs and the state of the manifest',
      guard,
      answers: {
        200: {
          description: 'All of them',
          schema: z.object({ jobs: z.array(jobShape), manifest: manifestShape }),
        },
      },
      handle: c =>
        c.json({ jobs: engine().jobs().map(jobJson), manifest: manifestJson(engine().manifest()) }),
    }),

    route({
      method: 'get',
      path: '/api/jobs/{id}',
      summary: 'One registered job',
      guard,
      params,
      answers: { 200: { description: 'The job', schema: jobShape } },
      handle: (c, { params: { id } }) => c.json(jobJson(known(engine(), id))),
    }),

    route({
      method: 'post',
      path: '/api/jobs/{id}/run',
      summary: 'Run it now; `Prefer: wait=N` answers when it is over, or after N seconds',
      mayWait: true,
      guard: web.mayRun,
      params,
      body: z.object({
        next,
        params: z
          .record(z.string(), z.unknown(), 'must be an object such as {"name": "value"}')
          .optional()
          .meta({ description: 'Handed to the job' }),
      }),
      answers: {
        200: { description: 'The run, over', schema: runShape },
        202: { description: 'The run, queued or going on; `Location` names it', schema: runShape },
        303: { description: 'For a browser' },
      },
      handle: async (c, { params: { id }, body }) => {
        const browser = wantsPage(c)
        const run = engine().run(known(engine(), id).id, {
          trigger: browser ? 'manual' : 'api',
          ...(body.params ? { params: body.params } : {}),
        })
        if (browser) return c.redirect(localPath(body.next, `/runs/${run.id}`), 303)
        return answerRun(c, web, run.id)
      },
    }),

    setEnabled(true),
    setEnabled(false),

    route({
      method: 'get',
      path: '/api/jobs/{id}/runs',
      summary:
        'Runs of one job, newest first; with `q` those whose log or error holds these words. Also of one that is no longer registered',
      guard,
      params,
      query: runWindow.extend({
        q: z.string().trim().max(200, 'must be at most 200 characters').optional(),
      }),
      answers: {
        200: {
          description: 'Some of them',
          schema: z.object({
            runs: z.array(foundRunShape),
            ...runListShape,
            complete: z
              .boolean()
              .optional()
              .meta({ description: 'With `q`: false when the search stopped before the oldest run' }),
          }),
          headers: linkHeader,
        },
      },
      handle: async (c, { params: { id }, query: { q, ...page } }) => {
        const jobId = hasHistory(engine(), id)
        if (!q) {
          const { runs, ...list } = engine().runs({ jobId, ...windowOf(page) })
          return c.json({ runs: runs.map(runJson), ...linked(c, page, list) })
        }
        refuseCursor(page, 'q')
        const { found, total, complete } = await searchRuns(engine(), { jobId, words: q, ...page })
        const runs = found.map(({ run, match }) => ({ ...runJson(run), match }))
        return c.json({ runs, complete, ...linked(c, page, { total }) })
      },
    }),

    route({
      method: 'get',
      path: '/api/jobs/{id}/slots',
      summary: 'What became of the last due times, newest first',
      guard,
      params,
      query: listWindow(50)
        .pick({ limit: true })
        .extend({
          from: timeField.optional().meta({ description: 'Due at or after this' }),
          to: timeField.optional().meta({ description: 'Due before this' }),
        }),
      answers: {
        200: { description: 'Some of them', schema: z.object({ slots: z.array(slotShape), total: z.int() }) },
      },
      handle: (c, { params: { id }, query }) => {
        const { from, to, limit } = query
        const { slots, total } = engine().slots(hasHistory(engine(), id), {
          limit,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        })
        return c.json({ slots: slots.map(slotJson), total })
      },
    }),
  ]
}

/** The job of that id, or the 404 that names it. */
export function known(engine: Engine, id: string): Job {
  const job = engine.job(id)
  if (!job) throw unknownJob(`No job "${id}" is registered.`)
  return job
}

/** The id, when the job is registered or was once: its history outlives it. Otherwise the 404 that names it. */
export function hasHistory(engine: Engine, id: string): string {
  const once = engine.runs({ jobId: id, limit: 1, offset: 0 }).total + engine.slots(id, { limit: 1 }).total
  return once > 0 ? id : known(engine, id).id
}
