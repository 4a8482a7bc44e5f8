import { z } from 'zod'
import type { FieldError } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { RemotePage, type RemotePageProps } from '../../views/instance/repo/remote-page.tsx'
import { repoJson, repoShape } from '../repo/contract.ts'
import { show } from '../web/show.ts'
import { connection, connectRemote } from './connection.ts'
import type { SyncAnswers, SyncWeb } from './sync-web.ts'

/** Routes to connect and disconnect a remote. They never return its token. */
export function remoteRoutes(
  { sync, repo, guard, clock, address }: SyncWeb,
  { answers, done }: SyncAnswers,
): Route[] {
  const webhookUrl = `${address}/api/jobs/repo/webhook`
  const page = async (c: AppContext, props: Pick<RemotePageProps, 'form' | 'made'> = {}, status = 200) => {
    c.status(status as 200)
    const state = await repo.status()
    const content = <RemotePage now={clock.now()} repo={state} webhookUrl={webhookUrl} {...props} />
    const refresh = state.remote.syncing ? { refresh: 2 } : {}
    return show(c, content, { title: 'Remote', current: '/repo', ...refresh })
  }
  const formAgain = (c: AppContext, errors: FieldError[], typed: Record<string, unknown>) =>
    page(c, { form: { values: typed, errors } }, 422)

  return [
    route({
      method: 'get',
      path: '/repo/remote',
      summary: 'The remote of the jobs repo',
      guard,
      pageOnly: true,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: c => page(c),
    }),

    route({
      method: 'put',
      path: '/api/jobs/repo/remote',
      summary: 'Connect a remote over HTTPS, and sync with it',
      guard,
      body: connection,
      answers: {
        200: {
          description: 'The jobs repo, and the address and secret for the remote’s webhook',
          schema: repoShape.extend({ webhook: z.object({ url: z.url(), secret: z.string() }) }),
        },
      },
      handle: async (c, { body }) => {
        const secret = await connectRemote(sync, repo, body)
        c.set('about', body.url)
        return c.json({ ...repoJson(await repo.status()), webhook: { url: webhookUrl, secret } })
      },
    }),

    route({
      method: 'post',
      path: '/repo/remote',
      summary: 'Connect a remote',
      guard,
      pageOnly: true,
      body: connection,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      onInvalid: formAgain,
      handle: async (c, { body }) => {
        try {
          const secret = await connectRemote(sync, repo, body)
          c.set('about', body.url)
          return page(c, { made: { secret } })
        } catch (error) {
          const errors = error instanceof Error && 'errors' in error ? (error.errors as FieldError[]) : null
          if (!errors) throw error
          return formAgain(c, errors, body)
        }
      },
    }),

    ...(['delete', 'post'] as const).map(method =>
      route({
        method,
        path: method === 'delete' ? '/api/jobs/repo/remote' : '/api/jobs/repo/remote/remove',
        summary: 'Disconnect the remote; nothing is deleted on either side',
        guard,
        answers,
        handle: async c => {
          await sync.disconnect()
          return done(c)
        },
      }),
    ),
  ]
}
