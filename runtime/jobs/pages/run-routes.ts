import { z } from 'zod'
import { EventStreams } from '../../../src/http/events/event-streams.ts'
import { readerOf } from '../../../src/http/events/readers.ts'
import { flagField } from '../../../src/http/json-schema.ts'
import { localPath } from '../../../src/http/local-path.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import type { QueuePlace } from '../../../views/instance/jobs/queued-runs.tsx'
import { type Run, type Runs, runStatuses } from '../contract.ts'
import { unknownRun } from '../problems.ts'
import type { JobsWeb } from './jobs-web.ts'
import { followLog } from './log-events.ts'
import { answerRun } from './run-answer.ts'
import { linked, linkHeader, refuseCursor, runListShape, runWindow, windowOf } from './run-list.ts'
import { runJson, runShape } from './wire.ts'

const params = z.object({ id: z.string() })
const waitingRunShape = runShape
  .extend({
    queue: z
      .object({ position: z.int(), reason: z.string() })
      .optional()
      .meta({ description: 'For a queued run: its position, from 1, and why it waits' }),
  })
  .meta({ id: 'RunWithQueue' })

/** Routes of single runs: status, log and cancelling. */
export function runRoutes(web: JobsWeb): Route[] {
  const { clock, stopping } = web
  const streams = new EventStreams({ clock, stopping, most: 50, mostOfOne: 20 })
  return [listRuns(web), showRun(web), showLog(web, streams), replayRun(web), cancelRun(web)]
}

const listRuns = ({ jobs, access }: JobsWeb) =>
  route({
    method: 'get',
    path: '/api/runs',
    summary:
      'Runs of all jobs, newest first; with `status=queued` in the order in which they will start, each with the reason it waits',
    guard: access.signedIn,
    query: runWindow.extend({
      status: z.enum(runStatuses, `must be one of ${runStatuses.join(', ')}`).optional(),
    }),
    answers: {
      200: {
        description: 'The runs',
        schema: z.object({ runs: z.array(waitingRunShape), ...runListShape }),
        headers: linkHeader,
      },
    },
    handle: (c, { query }) => {
      const { status, ...page } = query
      if (status === 'queued') refuseCursor(page, 'status=queued')
      const { runs, ...list } =
        status === 'queued'
          ? queuedRuns(jobs.runs, page)
          : jobs.runs.list({ ...windowOf(page), ...(status && { status }) })
      const waits = waitsOf(jobs.runs)
      return c.json({ runs: runs.map(run => waitingRunJson(run, waits)), ...linked(c, page, list) })
    },
  })

const showRun = ({ jobs, access }: JobsWeb) =>
  route({
    method: 'get',
    path: '/api/runs/{id}',
    summary: 'One run',
    guard: access.signedIn,
    params,
    answers: { 200: { description: 'The run', schema: waitingRunShape } },
    handle: (c, { params }) => {
      const run = knownRun(jobs.runs, params.id)
      return c.json(waitingRunJson(run, waitsOf(jobs.runs)))
    },
  })

const showLog = ({ jobs, access }: JobsWeb, streams: EventStreams) =>
  route({
    method: 'get',
    path: '/api/runs/{id}/log',
    summary:
      'The log of a run; with `Accept: text/event-stream` as a live stream that ends with an `end` event holding the run',
    guard: access.signedIn,
    params,
    query: z.object({
      timestamps: flagField().meta({
        description:
          'Prefix each line with its time and stream, `out` or `err`: `2026-11-22T08:00:00.123Z out …`',
      }),
    }),
    answers: {
      200: {
        description: 'The log so far, or a stream of its lines',
        type: ['text/plain', 'text/event-stream'],
      },
    },
    handle: (c, { params, query }) => {
      const run = knownRun(jobs.runs, params.id)
      const timed = query.timestamps
      if ((c.req.header('accept') ?? '').includes('text/event-stream'))
        return followLog(streams, readerOf(c), jobs, run, { timed, lastId: c.req.header('last-event-id') })
      return c.text(timed ? jobs.logs.timed(run.id) : jobs.logs.text(run.id))
    },
  })

const replayRun = ({ jobs, access }: JobsWeb) =>
  route({
    method: 'post',
    path: '/api/runs/{id}/replay',
    summary:
      'Replay a finished run, with its parameters and due time and the current code; with `Prefer: wait=N` answers when the new run has finished, or after N seconds',
    mayWait: true,
    guard: access.mayRun,
    params,
    body: z.object({}),
    answers: {
      200: { description: 'The new run, finished', schema: runShape },
      202: { description: 'The new run, queued or running; `Location` is its address', schema: runShape },
      303: { description: 'For a browser: to the new run' },
    },
    handle: async (c, { params: { id } }) => {
      const browser = wantsPage(c)
      const run = jobs.runs.replay(id, browser ? 'manual' : 'api')
      if (!run) throw noSuchRun(id)
      return browser ? c.redirect(`/runs/${run.id}`, 303) : answerRun(c, jobs, run.id)
    },
  })

const cancelRun = ({ jobs, access }: JobsWeb) =>
  route({
    method: 'post',
    path: '/api/runs/{id}/cancel',
    summary: 'Cancel a queued or running run; does nothing to a finished one',
    guard: access.mayRun,
    params,
    body: z.object({ next: z.string().optional() }),
    answers: {
      200: { description: 'The run', schema: runShape },
      303: { description: 'For a browser: back to the page' },
    },
    handle: async (c, { params, body }) => {
      const run = await jobs.runs.cancel(knownRun(jobs.runs, params.id).id)
      if (!run) throw noSuchRun(params.id)
      return wantsPage(c) ? c.redirect(localPath(body.next, `/runs/${run.id}`), 303) : c.json(runJson(run))
    },
  })

function waitingRunJson(run: Run, waits: ReadonlyMap<string, QueuePlace>): z.input<typeof waitingRunShape> {
  const queue = waits.get(run.id)
  return { ...runJson(run), ...(queue && { queue }) }
}

/** The queued runs by id, computed once for any number of shown runs. */
export function waitsOf(runs: Pick<Runs, 'waiting'>): ReadonlyMap<string, QueuePlace> {
  return new Map(runs.waiting().map(({ id, reason }, index) => [id, { position: index + 1, reason }]))
}

/** The queued runs, in the order in which they are to start. */
export function queuedRuns(
  { waiting, find }: Pick<Runs, 'waiting' | 'find'>,
  { limit, offset }: { limit: number; offset: number },
): { runs: Run[]; total: number } {
  const queued = waiting()
  const runs = queued.slice(offset, offset + limit).flatMap(({ id }) => find(id) ?? [])
  return { runs, total: queued.length }
}

export function knownRun({ find }: Pick<Runs, 'find'>, id: string): Run {
  const run = find(id)
  if (!run) throw noSuchRun(id)
  return run
}

function noSuchRun(id: string) {
  return unknownRun(`There is no run "${id}". Old ones are forgotten in time.`)
}
