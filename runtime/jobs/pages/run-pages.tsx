import { z } from 'zod'
import { listWindow } from '../../../src/http/list-window.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { isOver } from '../../../views/components/status.tsx'
import { RunPage } from '../../../views/instance/jobs/run-page.tsx'
import { RunsPage } from '../../../views/instance/jobs/runs-page.tsx'
import { show } from '../../web/show.ts'
import type { JobsWeb } from './jobs-web.ts'
import { partOf } from './log-part.ts'
import { knownRun, queuedRuns, waitsOf } from './run-routes.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }
const listed = 50
const mostRelated = 20
const lineNumber = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'must be the number of a line of the log, from 1')
  .transform(Number)

/** Pages of all runs and of a single run. */
export function runPageRoutes({ jobs, access: { signedIn: guard }, clock, repoFolder }: JobsWeb): Route[] {
  return [
    route({
      method: 'get',
      path: '/runs',
      summary: 'Queued and finished runs of all jobs',
      guard,
      pageOnly: true,
      query: listWindow(listed).pick({ offset: true }),
      answers: page,
      handle: (c, { query: { offset } }) => {
        const queued = queuedRuns(jobs.runs, { limit: listed, offset: 0 })
        const waits = waitsOf(jobs.runs)
        const content = (
          <RunsPage
            now={clock.now()}
            waiting={{
              total: queued.total,
              runs: queued.runs.flatMap(run => {
                const wait = waits.get(run.id)
                return wait ? [{ ...run, wait }] : []
              }),
            }}
            list={{ ...jobs.runs.list({ limit: listed, offset }), limit: listed, offset }}
          />
        )
        return show(c, content, { title: 'Runs', refresh: 5, current: '/runs' })
      },
    }),

    route({
      method: 'get',
      path: '/runs/{id}',
      summary: 'A run, with the end of its log or the part around a line',
      guard,
      pageOnly: true,
      params: z.object({ id: z.string() }),
      query: z.object({
        line: lineNumber.optional(),
        find: z.string().max(200, 'must be at most 200 characters').default(''),
      }),
      answers: page,
      handle: (c, { params, query }) => {
        const run = knownRun(jobs.runs, params.id)
        const job = jobs.list.one(run.jobId)
        const content = (
          <RunPage
            now={clock.now()}
            run={run}
            zone={job?.timezone ?? 'UTC'}
            registered={job !== null}
            wait={waitsOf(jobs.runs).get(run.id) ?? null}
            related={jobs.runs.list({ around: run, limit: mostRelated, offset: 0 }).runs}
            log={partOf(jobs.logs.timed(run.id), query.line ?? null)}
            find={query.find}
            repoFolder={repoFolder}
          />
        )
        const going = isOver(run) ? {} : { refresh: 2 }
        return show(c, content, { title: `Run of ${run.jobId}`, ...going, current: '/runs' })
      },
    }),
  ]
}
