import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { notFound } from '../../src/http/problem.ts'
import { type Guard, type Route, route } from '../../src/http/route.ts'
import { stateLimits } from '../runner/state-limits.ts'
import type { StateStore } from './state.ts'

const params = z.object({ id: z.string() })
const entryShape = z.object({
  key: z.string(),
  value: z.unknown(),
  bytes: z.int().meta({ description: 'The size of the key and of its value as JSON' }),
  updated_at: z.iso.datetime(),
})

/** What a job remembers from run to run. */
export function stateRoutes({
  state,
  requireJob,
  guard,
}: {
  state: Pick<StateStore, 'list' | 'clear'>
  /** Throws `unknown-job`. */
  requireJob: (id: string) => void
  guard: Guard
}): Route[] {
  const list = (id: string) => {
    const entries = state.list(id)
    if (entries.length === 0) requireJob(id)
    return entries
  }

  return [
    route({
      method: 'get',
      path: '/api/jobs/{id}/state',
      summary: 'The state of a job, by key. Also works for jobs that are no longer registered',
      guard,
      params,
      answers: {
        200: {
          description: 'The keys and values',
          schema: z.object({
            entries: z.array(entryShape),
            bytes: z.int(),
            limit_bytes: z.int().meta({ description: 'How much the job may store' }),
          }),
        },
      },
      handle: (c, { params: { id } }) => {
        const entries = list(id)
        return c.json({
          entries: entries.map(({ key, json, bytes, updatedAt }) => ({
            key,
            value: JSON.parse(json) as unknown,
            bytes,
            updated_at: timestamp(updatedAt),
          })),
          bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
          limit_bytes: stateLimits.jobBytes,
        })
      },
    }),

    route({
      method: 'delete',
      path: '/api/jobs/{id}/state',
      summary: 'Clear the state of a job, or delete one key',
      guard,
      params,
      query: z.object({ key: z.string().optional() }),
      answers: { 204: { description: 'Cleared' }, 404: { description: 'The job has no such key' } },
      handle: (c, { params: { id }, query: { key } }) => {
        list(id)
        const forgotten = state.clear(id, key)
        if (key !== undefined && forgotten === 0) throw notFound(`The state of ${id} has no key "${key}".`)
        return c.body(null, 204)
      },
    }),

    route({
      method: 'post',
      path: '/jobs/{id}/state/clear',
      summary: 'Clear the state of a job',
      guard,
      pageOnly: true,
      params,
      answers: { 303: { description: 'Cleared' } },
      handle: (c, { params: { id } }) => {
        list(id)
        state.clear(id)
        return wantsPage(c) ? c.redirect(`/jobs/${id}`, 303) : c.body(null, 204)
      },
    }),
  ]
}
