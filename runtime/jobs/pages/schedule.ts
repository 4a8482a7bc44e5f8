import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { numberField } from '../../../src/http/json-schema.ts'
import { invalidFields } from '../../../src/http/problem.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { previewSlots, scheduleFaults } from '../../cron/cron.ts'
import type { JobsWeb } from './jobs-web.ts'

/** Previews a schedule before it is saved, by the rules of the scheduler. */
export function scheduleRoutes({ access: { signedIn }, clock }: JobsWeb): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/schedule/preview',
      operation: 'previewSchedule',
      summary: 'The next due times of a cron expression',
      guard: signedIn,
      query: z.object({
        cron: z.string('must be a cron expression such as 0 8 * * *'),
        timezone: z.string().default('UTC'),
        from: z.iso
          .datetime({ offset: true, error: 'must be a time such as 2026-03-28T12:00:00Z' })
          .optional()
          .meta({ description: 'Due times after this one; by default, after now' }),
        count: numberField(1, 500, 10),
      }),
      answers: {
        200: {
          description: 'The due times, with a note on those that a clock change moves or merges',
          schema: z.object({
            slots: z.array(
              z.object({ at: z.iso.datetime(), local: z.string(), note: z.string().nullable() }),
            ),
          }),
        },
      },
      handle: (c, { query }) => {
        const schedule = { cron: query.cron, timezone: query.timezone }
        const faults = scheduleFaults(schedule)
        if (faults.length > 0) {
          throw invalidFields(faults.map(({ field, message }) => ({ path: field, message })))
        }
        const from = query.from === undefined ? clock.now() : Date.parse(query.from)
        const slots = previewSlots(schedule, from, query.count)
        return c.json({ slots: slots.map(slot => ({ ...slot, at: timestamp(slot.at) })) })
      },
    }),
  ]
}
