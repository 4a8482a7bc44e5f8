import { z } from 'zod'
import { wantsPage } from '../../src/http/negotiate.ts'
import { notFound } from '../../src/http/problem.ts'
import { type Guard, open, type Route, route } from '../../src/http/route.ts'
import { BadgeImage } from '../../views/instance/badge.tsx'
import type { JobsService } from '../jobs/contract.ts'
import { type BadgeStore, badgeState } from './badge.ts'

/** How many of the newest runs to search for a finished one, past those in progress or queued. */
const lookedAt = 20

/** A picture of a job’s state, for other sites. Private badges are hidden from everyone. */
export function badgeRoutes({
  badges,
  jobs,
  guard,
}: {
  badges: BadgeStore
  jobs: JobsService
  guard: Guard
}): Route[] {
  const setPublic = (method: 'put' | 'post') =>
    route({
      method,
      path: '/api/jobs/{id}/badge',
      summary: 'Publish or unpublish the badge of a job',
      guard,
      params: z.object({ id: z.string() }),
      body: z.object({
        public: z.union(
          [z.boolean(), z.enum(['true', 'false']).transform(text => text === 'true')],
          'must be true or false',
        ),
      }),
      answers: {
        200: { description: 'Whether the badge is public now', schema: z.object({ public: z.boolean() }) },
        303: { description: 'For a browser: back to the page' },
      },
      handle: (c, { params: { id }, body }) => {
        badges.setPublic(jobs.list.known(id).id, body.public)
        return wantsPage(c) ? c.redirect(`/jobs/${id}`, 303) : c.json({ public: body.public })
      },
    })

  return [
    route({
      method: 'get',
      path: '/badges/{file}',
      // Other sites add parameters to bypass caches.
      anyQuery: true,
      operation: 'getBadge',
      summary: 'The status badge of a job, `{id}.svg`, if it is public',
      guard: open,
      params: z.object({ file: z.string() }),
      answers: { 200: { description: 'The badge', type: 'image/svg+xml' } },
      handle: (c, { params: { file } }) => {
        const id = /^(.+)\.svg$/.exec(file)?.[1] ?? ''
        const job = badges.isPublic(id) ? jobs.list.one(id) : null
        if (!job) throw notFound('There is no public badge with this name.')
        const { runs } = jobs.runs.list({ jobId: id, limit: lookedAt, offset: 0 })
        const lastEnded = runs.find(run => run.finishedAt !== null) ?? null
        c.header('Content-Type', 'image/svg+xml; charset=utf-8')
        c.header('Cache-Control', 'public, max-age=60')
        // Other sites may show it.
        c.header('Cross-Origin-Resource-Policy', 'cross-origin')
        return c.body(String(<BadgeImage label={id} {...badgeState(job, lastEnded)} />))
      },
    }),

    setPublic('put'),
    // HTML forms have no PUT.
    setPublic('post'),
  ]
}
