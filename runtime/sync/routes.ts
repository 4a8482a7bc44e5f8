import { z } from 'zod'
import { readBytes } from '../../src/http/body.ts'
import { unauthorized } from '../../src/http/problem.ts'
import { open, type Route, route } from '../../src/http/route.ts'
import { sides } from '../git/merge/sync-protocol.ts'
import { authorOf } from '../web/author.ts'
import { noConflict, noRemote, nothingHeld } from './problems.ts'
import { remoteRoutes } from './remote-routes.tsx'
import { type SyncWeb, syncAnswers } from './sync-web.ts'

/** GitHub sends at most 25 MB; a list of pushed commits is far smaller. */
const largestWebhook = 5 * 1024 * 1024

/** Browsers send empty fields as ''. */
const commit = z
  .string()
  .regex(/^[0-9a-f]{40}$/, 'must be the full id of a commit')
  .optional()

/** Routes of the jobs repo's remote and of syncing. */
export function syncRoutes(web: SyncWeb): Route[] {
  const { sync, guard, address } = web
  const shared = syncAnswers(web)
  const { answers, done } = shared
  const requireRemote = () => {
    if (!sync.remote()) {
      throw noRemote('No remote is connected. Connect one under Repo → Remote first.')
    }
  }

  return [
    ...remoteRoutes(web, shared),

    route({
      method: 'post',
      path: '/api/jobs/repo/sync',
      summary: 'Sync with the remote now; `confirm` accepts a change that waits for confirmation',
      guard,
      body: z.object({
        confirm: commit.meta({ description: 'The commit of the remote that waits for confirmation' }),
      }),
      answers: {
        ...answers,
        409: { description: 'No remote is connected, or no change waits for confirmation' },
      },
      handle: async (c, { body: { confirm } }) => {
        requireRemote()
        if (confirm && sync.remote()?.held?.theirs !== confirm) {
          throw nothingHeld('The remote has changed meanwhile. Nothing was changed; look at it again.')
        }
        await sync.sync(confirm ? { confirm, by: authorOf(c, address) } : {})
        return done(c)
      },
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/resolve',
      summary: 'Resolve a conflict in favor of one side',
      guard,
      body: z.object({
        side: z.enum(sides, 'must be ours or theirs'),
        theirs: commit.meta({
          description: 'The commit of the remote that you reviewed; by default, the current one',
        }),
      }),
      answers: { ...answers, 409: { description: 'There is no conflict, or the remote has changed since' } },
      handle: async (c, { body: { side, theirs } }) => {
        requireRemote()
        const conflict = sync.remote()?.conflict
        if (!conflict || (theirs && theirs !== conflict.theirs)) {
          throw noConflict(
            'There is no conflict, or one side has changed meanwhile. Nothing was changed; look at the repo again.',
          )
        }
        await sync.resolve({ side, theirs: conflict.theirs, by: authorOf(c, address) })
        return done(c)
      },
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/webhook',
      rawBody: true,
      summary: 'The webhook for pushes to the remote, signed with X-Hub-Signature-256',
      guard: open,
      answers: {
        202: { description: 'A sync has been started' },
        401: { description: 'The signature is wrong' },
      },
      handle: async c => {
        const body = await readBytes(c.req.raw, largestWebhook)
        if (!sync.webhook(body, c.req.header('x-hub-signature-256') ?? '')) {
          throw unauthorized(
            'X-Hub-Signature-256 must be sha256= and the HMAC of the body with the webhook’s secret.',
          )
        }
        return c.body(null, 202)
      },
    }),
  ]
}
