import { z } from 'zod'
import { listWindow } from '../../src/http/list-window.ts'
import { type Route, route } from '../../src/http/route.ts'
import type { LogLineView } from '../../views/components/log-view.tsx'
import { RunPage } from '../../views/runtime/run-page.tsx'
import { RunsPage } from '../../views/runtime/runs-page.tsx'
import { isOver } from '../../views/runtime/shapes.ts'
import { logLines } from '../jobs/log-line.ts'
import type { WebContext } from './context.ts'
import { knownRun, queuedRuns, waitsOf } from './runs.ts'
import { show } from './show.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }
const listed = 50
const mostKin = 20
/** Of a log that grows while somebody watches, only so much is sent again and again. */
const shown = { length: 48 * 1024, lines: 500 }

/** Runs for people: all of them, and one. */
export function runPageRoutes(web: WebContext): Route[] {
  const { engine, signedIn: guard, clock } = web
  return [
    route({
      method: 'get',
      path: '/runs',
      summary: 'The runs of all jobs, and those that wait',
      guard,
      pageOnly: true,
      query: listWindow(listed).pick({ offset: true }),
      answers: page,
      handle: (c, { query: { offset } }) => {
        const queued = queuedRuns(engine(), { limit: listed, offset: 0 })
        const waits = waitsOf(engine())
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
            list={{ ...engine().runs({ limit: listed, offset }), limit: listed, offset }}
          />
        )
        return show(c, content, { title: 'Runs', refresh: 5, current: '/runs' })
      },
    }),

    route({
      method: 'get',
      path: '/runs/{id}',
      summary: 'One run',
      guard,
      pageOnly: true,
      params: z.object({ id: z.string() }),
      answers: page,
      handle: (c, { params }) => {
        const run = knownRun(engine(), params.id)
        const job = engine().job(run.jobId)
        const content = (
          <RunPage
            now={clock.now()}
            run={run}
            zone={job?.timezone ?? 'UTC'}
            registered={job !== null}
            wait={waitsOf(engine()).get(run.id) ?? null}
            kin={engine().runs({ around: run, limit: mostKin, offset: 0 }).runs}
            log={endOf(engine().timedLog(run.id))}
          />
        )
        const going = isOver(run) ? {} : { refresh: 2 }
        return show(c, content, { title: `Run of ${run.jobId}`, ...going, current: '/runs' })
      },
    }),
  ]
}

/** The last lines of a log; of a very long line its end, as long as nothing else is there. */
function endOf(log: string): { lines: LogLineView[]; cut: boolean } {
  const end = log.slice(-shown.length)
  const lines = logLines(end)
  const cutInLine = end.length < log.length && log.at(-end.length - 1) !== '\n'
  if (cutInLine && lines.length > 1) lines.shift()
  return { lines: lines.slice(-shown.lines), cut: end.length < log.length || lines.length > shown.lines }
}
