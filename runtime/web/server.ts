import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import { waitAtMost } from '../../src/concurrency.ts'
import { identityHeader, identityPath, isFromHost } from '../../src/http/identity.ts'
import { createListener } from '../../src/http/listener/listener.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { type Brand, longhouse } from '../../views/brand.tsx'
import { refusalDocument } from '../../views/router/refusal-page.tsx'

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

/** What a poll for the health of the instance gets, and when that is no longer that it starts. */
interface Health {
  report(fromHost: boolean): Promise<{ status: string }>
  started(): Promise<void>
}

const healthPath = '/api/health'
/** The longest that an answer is held back. */
const longestWaitMs = 1000

/**
 * The HTTP server of an instance. Responses sent before the app is called, because a request cannot be read, name the
 * instance too: a router treats a response without a name as another instance’s.
 *
 * With `health`, the polls of callers without a name are answered here. Most instances get nothing else for days, and
 * what turns requests into those of the web standard is a tenth of their start and of their memory: it is loaded for the
 * first request that needs it.
 */
export function createInstanceServer(
  app: Pick<Hono<AppEnv>, 'fetch'>,
  instanceId: string,
  { health, brand = longhouse }: { health?: Health; brand?: Brand } = {},
): Server {
  const answer = answerLater(app)
  const take = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader(identityHeader, instanceId)
    if (request.method === 'HEAD' && request.url === identityPath) {
      response.writeHead(204).end()
      return
    }
    if (health && isPoll(request, instanceId))
      void answerPoll(
        response,
        () => reportTo(request, health),
        () => answer(request, response),
      )
    else answer(request, response)
  }
  return createListener({
    named: { [identityHeader]: instanceId },
    page: refusalDocument(brand),
    answer: take,
    expect: (request, response) => {
      response.writeContinue()
      take(request, response)
    },
  })
}

/** Passes requests to the app, through an adapter that is loaded for the first one. */
function answerLater(app: Pick<Hono<AppEnv>, 'fetch'>): Answer {
  let ready: Answer | null = null
  let loading: Promise<Answer> | null = null
  const load = async (): Promise<Answer> => {
    const { getRequestListener } = await import('@hono/node-server')
    ready = getRequestListener(app.fetch as (request: Request, env: unknown) => Promise<Response>, {
      overrideGlobalObjects: false,
    })
    return ready
  }
  return (request, response) => {
    if (ready) return void ready(request, response)
    loading ??= load()
    void loading.then(
      answer => answer(request, response),
      error => {
        loading = null
        response.destroy(error)
      },
    )
  }
}

/** True for a request for health whose answer does not depend on who asks. */
function isPoll({ method, url = '', headers }: IncomingMessage, instanceId: string): boolean {
  if (method !== 'GET' || (url !== healthPath && !url.startsWith(`${healthPath}?`))) return false
  const meant = headers[identityHeader.toLowerCase()]
  return (meant === undefined || meant === instanceId) && !headers.cookie && !headers.authorization
}

/**
 * The report for a poll. The control plane may ask to wait for it while the instance starts, instead of polling often, which would
 * take processor time from the start: `Prefer: wait=1`.
 */
async function reportTo({ headers }: IncomingMessage, health: Health): Promise<{ status: string }> {
  const fromHost = isFromHost(headers)
  const waits = fromHost && headers.prefer === 'wait=1'
  const report = await health.report(fromHost)
  if (!waits || report.status !== 'starting') return report
  await waitAtMost(health.started(), longestWaitMs)
  return await health.report(fromHost)
}

/** What fails here is for the app to report. */
async function answerPoll(
  response: ServerResponse,
  health: () => Promise<{ status: string }>,
  instead: () => unknown,
): Promise<void> {
  let body: string
  let ready: boolean
  try {
    const report = await health()
    ready = report.status === 'ok'
    body = JSON.stringify(report)
  } catch {
    instead()
    return
  }
  response
    .writeHead(ready ? 200 : 503, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Resource-Policy': 'same-origin',
      Vary: 'Accept',
    })
    .end(body)
}
