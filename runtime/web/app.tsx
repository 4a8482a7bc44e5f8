import type { Hono } from 'hono'
import { compress } from 'hono/compress'
import { createApp } from '../../src/http/app.ts'
import { type Assets, withAssets } from '../../src/http/assets.ts'
import type { Problem } from '../../src/http/problem.ts'
import type { AppContext, AppEnv, Route } from '../../src/http/route.ts'
import type { Logger } from '../../src/log.ts'
import { version } from '../../src/version.ts'
import { type Brand, brandAssets } from '../../views/brand.tsx'
import { ProblemPage } from '../../views/problem-page.tsx'
import { pageRenderer } from '../../views/renderer.tsx'
import { apiTags } from './api-tags.ts'
import { answerAs } from './identity.ts'
import { starting } from './problems.ts'
import { sandboxed } from './sandboxed.ts'
import { waysFrom } from './show.ts'
import { onceStarted } from './while-starting.ts'

export interface InstanceAppOptions {
  instanceId: string
  publicUrl: URL | null
  /** The name of the instance. */
  place: string
  /** How the operator presents the site. */
  brand: Brand
  trustedProxies: readonly string[]
  log: Logger
  assets: Assets
  routes: readonly Route[]
  /** Each wraps the handler of every route; the last one is outermost. */
  around: readonly ((route: Route) => Route)[]
  /** False while the plugins are starting. */
  hasStarted(): boolean
  /** True for a caller who is signed in. */
  isAuthenticated(c: AppContext): boolean
  /** True once the program is stopping. */
  isStopping(): boolean
}

/** The web app of an instance: its identity, its pages' layout, its error pages. */
export function instanceApp(options: InstanceAppOptions): Hono<AppEnv> {
  const { instanceId, publicUrl, place, brand, trustedProxies, log, isStopping } = options
  const { routes, around, hasStarted } = options
  const { icon, colours, added } = brandAssets(brand)
  const assets = withAssets(options.assets, added)
  const app = createApp({
    log,
    info: {
      title: 'Longhouse instance',
      version,
      description:
        'One customer’s scheduled TypeScript jobs. Sign in once and send the cookie, or send an API token as a bearer token.',
      tags: apiTags,
    },
    server: () => publicUrl?.origin ?? null,
    routes: routes.map(each => around.reduce((route, wrap) => wrap(route), onceStarted(each, hasStarted))),
    trustedProxies,
    https: publicUrl?.protocol === 'https:',
    ...(publicUrl && { origins: () => [publicUrl.origin] }),
    before: [answerAs(instanceId), sandboxed, compress()],
    renderer: pageRenderer({
      brand,
      place,
      warning: () =>
        isStopping()
          ? 'This instance is stopping. Runs that are going may end; no other starts until it is back.'
          : null,
      assets: {
        style: assets.url('style.css'),
        ...(colours !== undefined && { colours: assets.url(colours) }),
        script: assets.url('htmx.js'),
        icon: assets.url(icon),
      },
    }),
    problemPage: (c, problem) => problemPage(c, problem, isPerson(c, options)),
  })
  assets.mount(app)
  return app
}

/** True for a person who is signed in; false when the check itself fails. */
function isPerson(c: AppContext, { isAuthenticated }: Pick<InstanceAppOptions, 'isAuthenticated'>): boolean {
  try {
    return c.req.header('authorization') === undefined && isAuthenticated(c)
  } catch {
    return false
  }
}

function problemPage(c: AppContext, problem: Problem, signedIn: boolean): Response | Promise<Response> {
  c.status(problem.status as 404)
  const page = (
    <ProblemPage
      title={problem.title}
      detail={problem.detail}
      errors={problem.errors}
      requestId={c.get('requestId')}
      back={
        c.req.path.startsWith('/repo/')
          ? { href: '/repo/files', label: 'Back to the files' }
          : { href: '/', label: 'Back to the jobs' }
      }
    />
  )
  return c.render(page, {
    title: problem.title,
    ...(signedIn ? waysFrom(null) : {}),
    ...(problem.code === starting.code ? { refresh: 1 } : {}),
  })
}
