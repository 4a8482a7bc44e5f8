import { z } from 'zod'
import { listWindow } from '../../../src/http/list-window.ts'
import { localPath } from '../../../src/http/local-path.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { manifestJson, manifestShape } from '../manifest-wire.ts'
import { jobJson, jobShape } from './job-wire.ts'
import type { JobsWeb } from './jobs-web.ts'
import { answerRun } from './run-answer.ts'
import { linked, linkHeader, refuseCursor, runListShape, runWindow, windowOf } from './run-list.ts'
import { runJson, runShape, slotJson, slotShape } from './wire.ts'

const params = z.object({ id: z.string() })

/** A time in a query, in milliseconds. */
const timeField = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-03-28T12:00:00Z' })
  .transform(text => Date.parse(text))
const matchShape = z.object({
  in: z.enum(['log', 'error']).meta({ description: 'Where the line is: in the log or in the error message' }),
  line: z
    .int()
    .meta({ description: 'The number of the line, from 1; `/runs/<id>?line=<line>` shows it in the log' }),
  text: z.string(),
})
const foundRunShape = runShape.extend({ match: matchShape.optional() }).meta({ id: 'FoundRun' })
/** Where to redirect a browser after a form. */
const next = z.string().optional().meta({ description: 'For a browser: the path to redirect to' })

/** The registered jobs: list, run, enable, disable, history. */
export function jobRoutes(web: JobsWeb): Route[] {
  return [
    listJobs(web),
    showJob(web),
    startRun(web),
    setEnabled(web, true),
    setEnabled(web, false),
    listRuns(web),
    listSlots(web),
  ]
}

const setEnabled = ({ jobs, access: { signedIn: guard } }: JobsWeb, enabled: boolean) =>
  route({
    method: 'post',
    path: `/api/jobs/{id}/${enabled ? 'enable' : 'disable'}`,
    summary: enabled
      ? 'Enable a job: its schedule starts runs'
      : 'Disable a job: its schedule starts no runs',
    guard,
    params,
    body: z.object({ next }),
    answers: {
      200: { description: 'The job', schema: jobShape },
      303: { description: 'For a browser: back to the page' },
    },
    handle: (c, { params: { id }, body }) => {
      const job = jobs.list.setEnabled(jobs.list.known(id).id, enabled)
      return wantsPage(c) ? c.redirect(localPath(body.next, `/jobs/${id}`), 303) : c.json(jobJson(job))
    },
  })

const listJobs = ({ jobs, access: { signedIn: guard } }: JobsWeb) =>
  route({
    method: 'get',
    path: '/api/jobs',
    summary: 'Registered jobs and the state of the manifest',
    guard,
    answers: {
      200: {
        description: 'The jobs, and the state of the manifest',
        schema: z.object({ jobs: z.array(jobShape), manifest: manifestShape }),
      },
    },
    handle: c =>
      c.json({ jobs: jobs.list.all().map(jobJson), manifest: manifestJson(jobs.manifest.state()) }),
  })

const showJob = ({ jobs, access: { signedIn: guard } }: JobsWeb) =>
  route({
    method: 'get',
    path: '/api/jobs/{id}',
    summary: 'One registered job',
    guard,
    params,
    answers: { 200: { description: 'The job', schema: jobShape } },
    handle: (c, { params: { id } }) => c.json(jobJson(jobs.list.known(id))),
  })

const startRun = ({ jobs, access }: JobsWeb) =>
  route({
    method: 'post',
    path: '/api/jobs/{id}/run',
    summary: 'Run a job now; with `Prefer: wait=N` answers when the run has finished, or after N seconds',
    mayWait: true,
    guard: access.mayRun,
    params,
    body: z.object({
      next,
      params: z
        .record(z.string(), z.unknown(), 'must be an object such as {"name": "value"}')
        .optional()
        .meta({ description: 'Parameters of the run, by name' }),
    }),
    answers: {
      200: { description: 'The run, finished', schema: runShape },
      202: { description: 'The run, queued or running; `Location` is its address', schema: runShape },
      303: { description: 'For a browser: to the run' },
    },
    handle: async (c, { params: { id }, body }) => {
      const browser = wantsPage(c)
      const run = jobs.runs.start(id, {
        trigger: browser ? 'manual' : 'api',
        ...(body.params ? { params: body.params } : {}),
      })
      if (browser) return c.redirect(localPath(body.next, `/runs/${run.id}`), 303)
      return answerRun(c, jobs, run.id)
    },
  })

const listRuns = ({ jobs, access: { signedIn: guard } }: JobsWeb) =>
  route({
    method: 'get',
    path: '/api/jobs/{id}/runs',
    summary:
      'Runs of a job, newest first; with `q` only those whose log or error contains these words. Also works for jobs that are no longer registered',
    guard,
    params,
    query: runWindow.extend({
      q: z.string().trim().max(200, 'must be at most 200 characters').optional(),
    }),
    answers: {
      200: {
        description: 'The runs',
        schema: z.object({
          runs: z.array(foundRunShape),
          ...runListShape,
          complete: z.boolean().optional().meta({
            description: 'With `q`: false when the search ran out of time before it reached the oldest run',
          }),
        }),
        headers: linkHeader,
      },
    },
    handle: async (c, { params: { id }, query: { q, ...page } }) => {
      const jobId = jobs.list.everKnown(id)
      if (!q) {
        const { runs, ...list } = jobs.runs.list({ jobId, ...windowOf(page) })
        return c.json({ runs: runs.map(runJson), ...linked(c, page, list) })
      }
      refuseCursor(page, 'q')
      const { found, total, complete } = await jobs.logs.search({ jobId, words: q, ...page })
      const runs = found.map(({ run, match }) => ({ ...runJson(run), match }))
      return c.json({ runs, complete, ...linked(c, page, { total }) })
    },
  })

const listSlots = ({ jobs, access: { signedIn: guard } }: JobsWeb) =>
  route({
    method: 'get',
    path: '/api/jobs/{id}/slots',
    summary: 'The outcome of the last due times, newest first',
    guard,
    params,
    query: listWindow(50)
      .pick({ limit: true })
      .extend({
        from: timeField.optional().meta({ description: 'Only due times from this time on' }),
        to: timeField.optional().meta({ description: 'Only due times before this time' }),
      }),
    answers: {
      200: {
        description: 'The due times and their outcomes',
        schema: z.object({ slots: z.array(slotShape), total: z.int() }),
      },
    },
    handle: (c, { params: { id }, query }) => {
      const { from, to, limit } = query
      const { slots, total } = jobs.slots.list(jobs.list.everKnown(id), {
        limit,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      })
      return c.json({ slots: slots.map(slotJson), total })
    },
  })
