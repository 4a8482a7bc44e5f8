import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { isLoopback } from '../../src/http/address.ts'
import { readBytes } from '../../src/http/body.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, invalidFields, unauthorized } from '../../src/http/problem.ts'
import { type AppContext, type Guard, open, type Route, route } from '../../src/http/route.ts'
import { RemotePage, type RemotePageProps } from '../../views/instance/repo/remote-page.tsx'
import type { Verified } from '../git/merge/sync-protocol.ts'
import type { RepoService } from '../repo/contract.ts'
import { authorOf } from '../web/author.ts'
import { show } from '../web/show.ts'
import { repoJson, repoShape } from '../web/wire.ts'
import type { SyncService } from './contract.ts'
import { noConflict, noRemote, nothingHeld } from './problems.ts'

/** GitHub sends at most 25 MB; what says which commits were pushed is far below this. */
const largestWebhook = 5 * 1024 * 1024

const connection = z.object({
  url: z.string('must be the address of a git repository').trim().superRefine(checkUrl),
  token: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]*$/, 'must be one word without spaces')
    .optional()
    .meta({ description: 'May be left out where the same repository is connected already' }),
  username: z
    .string()
    .trim()
    .regex(/^[^:\p{Cc}]*$/u, 'must be a user name without a colon')
    .optional()
    .meta({ description: 'What the token is sent with; most servers take any' }),
  branch: z
    .string()
    .trim()
    .regex(/^(?!-)(?!.*(\.\.|@\{|\/\/|[\s~^:?*[\\]|\/$|\.lock$))[^\p{Cc}]*$/u, 'must be the name of a branch')
    .optional()
    .meta({ description: 'The remote’s own default branch when left out' }),
})
type Connecting = z.output<typeof connection>

/** Browsers send what was left empty as ''. */
const commit = z
  .string()
  .regex(/^[0-9a-f]{40}$/, 'must be the full id of a commit')
  .optional()

/** The remote of the jobs repo. Its token goes in, and never comes out. */
export function syncRoutes({
  sync,
  repo: jobsRepo,
  guard,
  clock,
  address,
}: {
  sync: SyncService
  repo: Pick<RepoService, 'status'>
  guard: Guard
  clock: Clock
  /** The instance's own. */
  address: string
}): Route[] {
  const answers = {
    200: { description: 'The repo and its remote', schema: repoShape },
    303: { description: 'For a browser' },
  }
  const webhookUrl = `${address}/api/jobs/repo/webhook`

  const page = async (c: AppContext, props: Pick<RemotePageProps, 'form' | 'made'> = {}, status = 200) => {
    c.status(status as 200)
    const repo = await jobsRepo.status()
    const content = <RemotePage now={clock.now()} repo={repo} webhookUrl={webhookUrl} {...props} />
    const going = repo.remote.syncing ? { refresh: 2 } : {}
    return show(c, content, { title: 'Remote', current: '/repo', ...going })
  }
  const formAgain = (c: AppContext, errors: FieldError[], typed: Record<string, unknown>) =>
    page(c, { form: { values: typed, errors } }, 422)
  const done = async (c: AppContext) =>
    wantsPage(c) ? c.redirect('/repo/remote', 303) : c.json(repoJson(await jobsRepo.status()))

  /** Returns the webhook's secret. Throws the Problem `invalid` when the repository cannot be used. */
  const connect = async (fields: Connecting): Promise<string> => {
    const kept = sync.remote()
    const token = fields.token || (kept?.url === fields.url ? sync.token() : null)
    if (!token)
      throw invalidFields([{ path: 'token', message: 'must be a token that may read and write it' }])
    const username = fields.username || kept?.username || 'x-access-token'
    const { url } = fields
    const found = await sync.verify({ url, username, token }).catch((error: Error) => {
      const path = /token/.test(error.message) && !/\(404\)/.test(error.message) ? 'token' : 'url'
      throw invalidFields([{ path, message: `does not work: ${error.message}` }])
    })
    const { branch: localBranch } = await jobsRepo.status()
    if (!localBranch) throw noRemote('The jobs repo is on no branch; check one out, and connect then.')
    const branch = fields.branch || found.defaultBranch || localBranch
    checkBranch(branch, found)
    return sync.connect({ url, username, token, branch, localBranch })
  }

  const connected = () => {
    if (!sync.remote()) {
      throw noRemote('The jobs repo lives in this instance only; there is nothing to sync it with.')
    }
  }

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
          description: 'The repo, and what the remote’s webhook needs',
          schema: repoShape.extend({ webhook: z.object({ url: z.url(), secret: z.string() }) }),
        },
      },
      handle: async (c, { body }) => {
        const secret = await connect(body)
        return c.json({ ...repoJson(await jobsRepo.status()), webhook: { url: webhookUrl, secret } })
      },
    }),

    route({
      method: 'post',
      path: '/repo/remote',
      summary: 'Connect a remote, for a browser',
      guard,
      pageOnly: true,
      body: connection,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      onInvalid: formAgain,
      handle: async (c, { body }) => {
        try {
          return page(c, { made: { secret: await connect(body) } })
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
        summary: 'Forget the remote and its token; nothing is deleted on either side',
        guard,
        answers,
        handle: async c => {
          await sync.disconnect()
          return done(c)
        },
      }),
    ),

    route({
      method: 'post',
      path: '/api/jobs/repo/sync',
      summary: 'Sync with the remote now; `confirm` takes over a change that was held back',
      guard,
      body: z.object({
        confirm: commit.meta({ description: 'The remote’s commit that is held back' }),
      }),
      answers: { ...answers, 409: { description: 'No remote is connected, or nothing is held back' } },
      handle: async (c, { body: { confirm } }) => {
        connected()
        if (confirm && sync.remote()?.held?.theirs !== confirm) {
          throw nothingHeld('The remote has another commit by now; look at it again.')
        }
        await sync.sync(confirm ? { confirm, by: authorOf(c, address) } : {})
        return done(c)
      },
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/resolve',
      summary: 'Settle a conflict for one side, where both changed the same',
      guard,
      body: z.object({
        side: z.enum(['ours', 'theirs'], 'must be ours or theirs'),
        theirs: commit.meta({
          description: 'The remote’s commit that was looked at; the one shown when left out',
        }),
      }),
      answers: { ...answers, 409: { description: 'There is no such conflict' } },
      handle: async (c, { body: { side, theirs } }) => {
        connected()
        const conflict = sync.remote()?.conflict
        if (!conflict || (theirs && theirs !== conflict.theirs)) {
          throw noConflict('Either side has moved on, or there is none; look at the repo again.')
        }
        await sync.resolve({ side, theirs: conflict.theirs, by: authorOf(c, address) })
        return done(c)
      },
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/webhook',
      rawBody: true,
      summary: 'What the remote calls after a push, signed with X-Hub-Signature-256',
      guard: open,
      answers: { 202: { description: 'A sync begins' }, 401: { description: 'The signature does not fit' } },
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

function checkUrl(text: string, context: z.RefinementCtx): void {
  const message = urlFault(text)
  if (message) context.addIssue({ code: 'custom', message })
}

function urlFault(text: string): string | null {
  if (!URL.canParse(text)) return 'must be an address such as https://github.com/acme/jobs.git'
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    return 'must begin with https://'
  if (username || password) return 'must not hold a user name or token; those have fields of their own'
  return search || hash ? 'must end with the path of the repository' : null
}

function checkBranch(branch: string, { branches }: Verified): void {
  if (branches.length === 0 || branches.includes(branch)) return
  const message = `must be a branch that is there: ${branches.slice(0, 10).join(', ')}`
  throw invalidFields([{ path: 'branch', message }])
}
