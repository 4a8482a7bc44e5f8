import { z } from 'zod'
import { EventStreams } from '../../../src/http/events/event-streams.ts'
import { readerOf } from '../../../src/http/events/readers.ts'
import { wantsFragment, wantsPage } from '../../../src/http/negotiate.ts'
import { invalidFields } from '../../../src/http/problem.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { durationMs } from '../../../src/kernel/config.ts'
import { InstanceLogLive, InstanceLogPage } from '../../../views/operator/instance/instance-log.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import { DriverError, type LogEntry } from '../driver.ts'
import { entryText, matching, newest, secretsInLog } from '../log/log-text.ts'
import { requireInstance } from '../records/instance.ts'
import { named, type ProvisionerRoutes } from './answer.ts'
import { followLog } from './log-events.ts'

const mostLines = 5000
/** A log of 20 MiB is read within seconds; a slow disk must not hold the answer for ever. */
const readWithinMs = 15_000

const moment = z
  .string()
  .max(40)
  .refine(
    text => text === '' || !Number.isNaN(durationMs(text)) || isTime(text),
    'must be a time such as 2026-01-31T08:00:00Z, or how long ago, such as 15m, 2h or 1d',
  )
  .optional()

const query = z.object({
  search: z.string().max(200, 'may have at most 200 characters').default(''),
  since: moment,
  until: moment,
  lines: z.coerce
    .number('must be a number of lines')
    .int('must be a whole number of lines')
    .min(1, 'must be at least 1')
    .max(mostLines, `must be at most ${mostLines}`)
    .default(500),
})

/**
 * What an instance's program wrote. It needs `operate`: errors in it may quote a customer's data, which those who only watch need not
 * see. Runs of jobs write into logs of their own, in the volume.
 */
export function logRoute(parts: ProvisionerRoutes): Route {
  const { fleet, admin, closing } = parts
  const { db, driver, clock } = fleet
  const streams = new EventStreams({ clock, stopping: closing, most: 20, mostOfOne: 5 })
  return route({
    method: 'get',
    path: '/admin/instances/{subdomain}/log',
    summary:
      'What the program of an instance wrote; with `Accept: text/event-stream` each new line as it comes, until the instance ends',
    guard: admin,
    role: 'operate',
    params: named,
    query,
    answers: {
      200: {
        description:
          'One line each: its time, `out` or `err`, and what was written, with secrets masked. `search` keeps the lines with all of its words; `lines` is how many of the newest; as events, how many of the newest are searched at first, and `until` is refused',
        type: ['text/plain', 'text/event-stream'],
      },
    },
    handle: async (c, { params, query }) => {
      const instance = requireInstance(db, params.subdomain)
      const secrets = secretsInLog(fleet, instance)
      const since = momentOf(query.since, clock.now())
      const until = momentOf(query.until, clock.now())
      if (since !== null && until !== null && since >= until)
        throw invalidFields([{ path: 'until', message: 'must be later than `since`' }])
      if ((c.req.header('accept') ?? '').includes('text/event-stream')) {
        if (until !== null)
          throw invalidFields([
            {
              path: 'until',
              message: 'must be left out where the log is followed: that ends with the instance',
            },
          ])
        const window = { since, until, tail: since === null ? query.lines : null, follow: true }
        return followLog(streams, readerOf(c), signal =>
          matching(driver.log(instance, window, signal), { search: query.search, secrets }),
        )
      }
      const read = async (): Promise<LogEntry[]> => {
        // All lines are looked through for a search, and else only so many of the newest are read.
        const tail = query.search === '' ? query.lines : null
        const ending = AbortSignal.any([closing, AbortSignal.timeout(readWithinMs)])
        const lines = driver.log(instance, { since, until, tail, follow: false }, ending)
        return await newest(matching(lines, { search: query.search, secrets }), query.lines)
      }
      c.header('Cache-Control', 'no-store')
      if (!wantsPage(c) && !wantsFragment(c)) {
        const lines = await read()
        return c.text(lines.map(line => `${entryText(line)}\n`).join(''))
      }
      const { lines, fault } = await read().then(
        lines => ({ lines, fault: null }),
        (error: unknown) => {
          if (!(error instanceof DriverError)) throw error
          return { lines: [], fault: error.message }
        },
      )
      const { search, since: from = '', until: to = '' } = query
      const props = {
        subdomain: params.subdomain,
        lines,
        fault,
        search,
        since: from,
        until: to,
        count: query.lines,
      }
      if (wantsFragment(c)) return c.html(<InstanceLogLive {...props} />)
      return c.render(<InstanceLogPage {...props} />, {
        ...operatorFrame(`Log of ${params.subdomain}`, '/admin/instances'),
        ...(search === '' && to === '' && { refresh: 10 }),
      })
    },
  })
}

const isTime = (text: string) => /^\d{4}-\d{2}-\d{2}([T ]|$)/.test(text) && !Number.isNaN(Date.parse(text))

/** Null for no moment. */
function momentOf(text: string | undefined, now: number): number | null {
  if (text === undefined || text === '') return null
  const ago = durationMs(text)
  return Number.isNaN(ago) ? Date.parse(text) : now - ago
}
