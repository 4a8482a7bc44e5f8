import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { z } from 'zod'
import { newId } from '../ids.ts'
import type { Logger } from '../log.ts'
import { isDiskFull } from '../storage/disk.ts'
import { addressSet, clientAddress, plainAddress } from './address.ts'
import { readFields } from './body.ts'
import { refuseCrossSite } from './csrf.ts'
import { wantsPage } from './negotiate.ts'
import { type ApiInfo, describeApi } from './openapi.ts'
import { permitsBy } from './permits.ts'
import {
  badRequest,
  diskFull,
  internal,
  invalidFields,
  methodNotAllowed,
  notFound,
  Problem,
  unauthorized,
} from './problem.ts'
import {
  type AppContext,
  type AppEnv,
  type FieldErrors,
  type Guard,
  open,
  type Route,
  route,
} from './route.ts'
import { unknownFields, unknownParameters } from './unknown-fields.ts'

export interface AppOptions {
  log: Logger
  info: ApiInfo
  routes: readonly Route[]
  trustedProxies: readonly string[]
  /** True if the program is reached over HTTPS, so that browsers may be asked to insist on it. */
  https: boolean
  /** How long browsers then insist on HTTPS, in seconds; 0 makes them forget it. A year, if not said. */
  hstsSeconds?: number
  /** The program’s public origin; null if it is not set. */
  server?: () => string | null
  /** Other origins that our forms may redirect to: browsers apply `form-action` to redirects too. */
  formTargets?: () => readonly string[]
  /** The program's public origins, with scheme, host and port: their pages may post here. */
  origins?: () => readonly string[]
  /** Prepares `c.render` for pages. */
  renderer: MiddlewareHandler
  /** Runs before anything that could refuse or answer a request. */
  before?: readonly MiddlewareHandler<AppEnv>[]
  /** Renders a problem as a page. */
  problemPage(c: AppContext, problem: Problem): Response | Promise<Response>
}

/** The web app of a program: one Hono app made of declared routes, which all behave alike. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { log, info, renderer } = options
  const app = new Hono<AppEnv>()
  const proxies = addressSet(options.trustedProxies)
  const permits = permitsBy(options.routes)
  const listeners = new Set<() => void>()
  const onChange = (listener: () => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  app.use(async (c, next) => {
    const startedAt = performance.now()
    const peer = c.env?.incoming?.socket.remoteAddress ?? '127.0.0.1'
    const said = c.req.header('x-request-id') ?? ''
    // The same id stands in the edge's log.
    const requestId = isRequestId(said) && proxies.has(plainAddress(peer)) ? said : newId('req')
    c.set('requestId', requestId)
    c.set('client', clientAddress(peer, c.req.header('x-forwarded-for'), proxies))
    c.set('log', log.child({ request_id: requestId }))
    c.set('onChange', onChange)
    c.set(
      'permits',
      permits(() => c.get('granted')),
    )
    await next()
    // What would have been sent holds files, places and processes until someone reads it or gives it up.
    if (c.req.method === 'HEAD') await c.res.body?.cancel().catch(() => {})
    if (!reading.has(c.req.method) && c.res.status < 400) for (const tell of listeners) tell()
    c.header('X-Request-Id', requestId)
    // One address serves pages and JSON, so caches must keep them apart.
    c.header('Vary', 'Accept', { append: true })
    // A handler may allow other sites to embed its response.
    if (!c.res.headers.has(resourcePolicy)) c.header(resourcePolicy, 'same-origin')
    const line = {
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round(performance.now() - startedAt),
    }
    c.get('log').debug(line, 'request')
  })
  for (const each of options.before ?? []) app.use(each)
  app.use(contentSecurity(options))
  app.use(renderer)
  app.use(refuseCrossSite(options.origins ?? (() => [])))

  const openapi = route({
    method: 'get',
    path: '/openapi.json',
    operation: 'getDescription',
    tag: 'description',
    summary: 'This API description',
    guard: open,
    answers: { 200: { description: 'OpenAPI 3.1', type: 'application/json' } },
    handle: c =>
      c.json(describeApi(info, routes, { https: options.https, server: options.server?.() ?? null })),
  })
  const routes: Route[] = [...options.routes, openapi]
  // A fixed path comes before a parameter in its place: `/api/jobs/repo` is not the job "repo".
  for (const each of routes.toSorted(byParameters)) mount(app, each)

  app.notFound(c => {
    const allowed = methodsFor(app, c)
    if (allowed.length > 0 && !allowed.includes(c.req.method)) {
      const above = isVisit(c, allowed) ? pageAbove(app, new URL(c.req.url).pathname) : null
      if (above !== null) return c.redirect(above, 303)
      throw methodNotAllowed(`${c.req.method} is not allowed here; use ${allowed.join(' or ')}.`, {
        headers: { Allow: allowed.join(', ') },
      })
    }
    throw notFound(`There is nothing at ${c.req.path}.`)
  })
  app.onError(async (error, c) => {
    const problem = asProblem(error)
    if (problem.status >= 500) c.get('log').error({ err: error, path: c.req.path }, problem.title)
    const response = (wantsPage(c) && (await page(c, problem))) || document(c, problem)
    for (const [name, value] of Object.entries(problem.headers)) response.headers.set(name, value)
    return response
  })
  return app

  /** A page that cannot be rendered must not hide the problem that it should show. */
  async function page(c: AppContext, problem: Problem): Promise<Response | null> {
    try {
      return await options.problemPage(c, problem)
    } catch (error) {
      c.get('log').error({ err: error, path: c.req.path }, 'the page of a problem failed')
      return null
    }
  }
}

function document(c: AppContext, problem: Problem): Response {
  const text = JSON.stringify(problem.document(c.get('requestId')))
  return c.body(text, problem.status as 400, { 'Content-Type': 'application/problem+json' })
}

/** Whether an id may stand in logs and pages as it is. */
function isRequestId(text: string): boolean {
  return /^[\w.:+/=@-]{1,128}$/.test(text)
}

const resourcePolicy = 'Cross-Origin-Resource-Policy'

/** Sorts paths by where they first differ: a fixed word comes before a parameter. */
function byParameters(a: Route, b: Route): number {
  const shape = ({ path }: Route) =>
    path
      .split('/')
      .map(word => (word.startsWith('{') ? 'b' : 'a'))
      .join('')
  const [one, other] = [shape(a), shape(b)]
  return one < other ? -1 : one > other ? 1 : 0
}

const defaultLimitBytes = 1024 * 1024

const reading: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const changing: ReadonlySet<string> = new Set(['post', 'put', 'patch'])
const noFields = z.object({})

function mount(app: Hono<AppEnv>, spec: Route): void {
  const path = spec.path.replace(/\{(\w+)\.\.\.\}/g, ':$1{.+}').replace(/\{(\w+)\}/g, ':$1')
  const taken = spec.body ?? (changing.has(spec.method) && !spec.rawBody ? noFields : undefined)
  const declare: MiddlewareHandler<AppEnv> = (c, next) => {
    c.set('role', spec.role)
    c.set('fresh', spec.fresh)
    c.set('askAgain', async () => {
      if (await askAgain(c.finalized ? answered(c) : c, spec.guard)) throw accessEnded()
    })
    return next()
  }
  app.on(spec.method.toUpperCase(), path, declare, spec.guard.check, async c => {
    const params = check(spec.params, c.req.param())
    const query = check(spec.query, c.req.query())
    const fields = taken && (await readFields(c, spec.limitBytes ?? defaultLimitBytes))
    if (taken) {
      const refusal = await askAgain(c, spec.guard)
      if (refusal) return refusal
    }
    const body = check(taken, fields?.values)
    const unknown = taken && fields ? unknownFields(taken, fields.values) : []
    // Links to pages collect parameters from newsletters and browsers; a misspelt parameter of a program would change
    // the meaning of its request.
    const mayHaveMore = spec.anyQuery || spec.pageOnly || wantsPage(c)
    const strange = mayHaveMore ? [] : unknownParameters(spec.query, c.req.queries())
    const errors = [...params.errors, ...query.errors, ...strange, ...body.errors, ...unknown]
    if (errors.length > 0) {
      if (spec.onInvalid && wantsPage(c)) return spec.onInvalid(c, errors, fields?.values ?? {})
      throw invalidFields(errors)
    }
    try {
      return await spec.handle(c, { params: params.value, query: query.value, body: body.value } as never)
    } catch (error) {
      // Hono passes only an Error to the error page.
      throw error instanceof Error ? error : new Error(`not an Error was thrown: ${String(error)}`)
    }
  })
}

/**
 * Asks a guard again, after a body was read: a client may take as long as it likes to send one, and lose its access
 * meanwhile. Returns the refusal, or throws it; null if the guard lets the client in.
 */
async function askAgain(c: AppContext, guard: Guard): Promise<Response | null> {
  let isIn = false
  const refusal = await guard.check(c, async () => {
    isIn = true
  })
  if (isIn) return null
  if (refusal instanceof Response) return refusal
  throw accessEnded()
}

/** The request of an answer that is on its way: a guard can set no more headers, such as a cookie, and what tries must not fail. */
function answered(c: AppContext): AppContext {
  return new Proxy(c, {
    get: (whole, name) => (name === 'header' ? () => {} : Reflect.get(whole, name, whole)),
  })
}

const accessEnded = () => unauthorized('Your access has ended. Nothing was changed. Sign in again.')

function check(schema: z.ZodType | undefined, value: unknown): { value?: unknown; errors: FieldErrors } {
  if (!schema) return { errors: [] }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { value: parsed.data, errors: [] }
  return {
    errors: parsed.error.issues.flatMap(issue => {
      const path = issue.path.join('.')
      if (issue.code !== 'unrecognized_keys') return { path, message: issue.message }
      return issue.keys.map(key => ({
        path: path ? `${path}.${key}` : key,
        message: 'is not a field here; remove it',
      }))
    }),
  }
}

/** A browser that opens the address a form was sent to: a reload of a refused form, or a step back to it. */
function isVisit(c: AppContext, allowed: readonly string[]): boolean {
  return c.req.method === 'GET' && allowed.includes('POST') && wantsPage(c) && !c.req.path.startsWith('/api/')
}

/** The address of the nearest page above a path, which is in the encoded form of an address; null without one. */
function pageAbove(app: Hono<AppEnv>, path: string): string | null {
  for (let above = path; above !== '/'; ) {
    above = above.slice(0, above.lastIndexOf('/')) || '/'
    const [matches] = app.router.match('GET', above)
    if (matches.some(([[, registered]]) => registered.method === 'GET')) return above
  }
  return null
}

/** The methods allowed for this path; a route with GET also answers HEAD. */
function methodsFor(app: Hono<AppEnv>, c: Context): string[] {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(method => {
    const [matches] = app.router.match(method, c.req.path)
    return matches.some(([[, registered]]) => registered.method === method)
  })
  return methods[0] === 'GET' ? ['GET', 'HEAD', ...methods.slice(1)] : methods
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof HTTPException && error.status < 500) return badRequest(error.message, { cause: error })
  if (isDiskFull(error)) {
    return diskFull('Nothing was changed. Make room on the disk, and try again.', { cause: error })
  }
  return internal(
    'Nothing that was saved before is lost. Try again; if it stays, look for the request id in the log.',
    {
      cause: error,
    },
  )
}

/** Allows only our own resources, nothing inline and no framing; see docs/decisions for the reasons. */
function contentSecurity({
  https,
  hstsSeconds = 365 * 24 * 3600,
  formTargets = () => [],
}: AppOptions): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      formAction: [() => ["'self'", ...formTargets()].join(' ')],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    referrerPolicy: 'same-origin',
    strictTransportSecurity: https ? `max-age=${hstsSeconds}` : false,
    crossOriginResourcePolicy: false,
    xFrameOptions: 'DENY',
    xXssProtection: false,
  })
}
