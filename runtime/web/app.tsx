import type { Database } from 'better-sqlite3'
import type { Hono } from 'hono'
import { compress } from 'hono/compress'
import type { Clock } from '../../src/clock.ts'
import { openTables } from '../../src/database.ts'
import { createApp } from '../../src/http/app.ts'
import type { Assets } from '../../src/http/assets.ts'
import type { Problem } from '../../src/http/problem.ts'
import { roundTrip } from '../../src/http/round-trip.ts'
import type { AppContext, AppEnv } from '../../src/http/route.ts'
import { sessionCookie } from '../../src/http/session-cookie.ts'
import type { Logger } from '../../src/log.ts'
import { createRateLimit } from '../../src/rate-limit.ts'
import { ProblemPage } from '../../views/problem-page.tsx'
import { pageRenderer } from '../../views/renderer.tsx'
import { openAuditLog } from '../audit/audit-log.ts'
import { auditSignIn } from '../audit/audit-sign-in.ts'
import { audited } from '../audit/audited.ts'
import { auditRoutes } from '../audit/routes.tsx'
import { auditTables } from '../audit/tables.ts'
import { createAccess } from '../auth/guard.ts'
import { guessLimit } from '../auth/guesses.ts'
import { methodRoutes } from '../auth/method-routes.tsx'
import { passwordGate } from '../auth/password.ts'
import { passwordLogin } from '../auth/password-login.ts'
import { authRoutes } from '../auth/routes.tsx'
import { sessionStore } from '../auth/session.ts'
import { singleSignOn } from '../auth/sso.ts'
import { authTables } from '../auth/tables.ts'
import { badgeStore } from '../badges/badge.ts'
import { badgeRoutes } from '../badges/routes.tsx'
import { badgeTables } from '../badges/tables.ts'
import type { Engine } from '../contract.ts'
import { metricsRoute } from '../metrics/routes.ts'
import type { Notices } from '../notices/notices.ts'
import { noticeRoutes } from '../notices/routes.tsx'
import { runFormRoutes } from '../params/routes.tsx'
import { secretRoutes } from '../secrets/routes.tsx'
import type { Settings } from '../settings.ts'
import { stateRoutes } from '../state/routes.tsx'
import { syncRoutes } from '../sync/routes.tsx'
import { tokenRoutes } from '../tokens/routes.tsx'
import { tokenTables } from '../tokens/tables.ts'
import { tokenStore } from '../tokens/token.ts'
import { apiTags } from './api-tags.ts'
import { codeRoutes } from './code.ts'
import { type Patience, usualPatience, type WebContext } from './context.ts'
import { editorRoutes } from './editor.tsx'
import { fileRoutes } from './files.ts'
import { healthRoute } from './health.ts'
import { historyRoutes } from './history.tsx'
import { answerAs } from './identity.ts'
import { jobRoutes } from './jobs.ts'
import { pageRoutes } from './pages.tsx'
import { starting } from './problems.ts'
import { sandboxed } from './raw-answer.ts'
import { rawFileRoutes } from './raw-files.tsx'
import { repoRoutes } from './repo.ts'
import { runPageRoutes } from './run-pages.tsx'
import { runRoutes } from './runs.ts'
import { scheduleRoutes } from './schedule.ts'
import { waysFrom } from './show.ts'

export interface WebOptions {
  settings: Pick<
    Settings,
    'instanceId' | 'publicUrl' | 'password' | 'handedOverAt' | 'trustedProxies' | 'sso'
  >
  version: string
  log: Logger
  clock: Clock
  assets: Assets
  /** `longhouse.db`: each part opens tables of its own in it. */
  sqlite: Database
  notices: Notices
  repoFolder: string
  /** Null until there is one. */
  engine(): Engine | null
  patience?: Patience
  stopping: AbortSignal
}

/** The instance's web side. It can answer before the engine is there, and then says that it is starting. */
export async function createWeb(options: WebOptions): Promise<Hono<AppEnv>> {
  const { settings, version, log, clock, assets, sqlite, repoFolder, stopping } = options
  const { instanceId, publicUrl } = settings
  const https = publicUrl?.protocol === 'https:'
  const place = publicUrl?.hostname.split('.')[0] ?? instanceId
  const cookie = sessionCookie({ https })
  const db = openTables(sqlite, 'auth', authTables)
  const sessions = sessionStore(db, clock)
  const tokens = tokenStore(openTables(sqlite, 'tokens', tokenTables), clock)
  if (settings.handedOverAt !== null) tokens.endEarlierOwners(settings.handedOverAt)
  const wrongTokens = createRateLimit({ failures: 10, withinMs: 10 * 60_000, clock })
  // Its hashing goes on beside all that follows.
  const adopting = passwordGate(db, clock, settings.password)
  adopting.catch(() => {})
  const gate = async () => adopting
  const audit = openAuditLog(openTables(sqlite, 'audit', auditTables), clock)
  const login = passwordLogin(db, clock, { hasOther: settings.sso !== null })
  const access = createAccess({ sessions, cookie, tokens, wrongTokens })
  const sso = singleSignOn({
    db,
    sso: settings.sso,
    instanceId,
    sessions,
    cookie,
    trip: roundTrip({ https, kind: 'sso', withinSeconds: 600, home: '/' }),
    adopted: adopting,
    clock,
    signedIn: c => auditSignIn(c, audit),
  })
  const web: WebContext = {
    engine: () => {
      const engine = options.engine()
      if (!engine) throw starting('Try again in a moment.', { headers: { 'Retry-After': '1' } })
      return engine
    },
    ...access,
    front: sso.over(access.signedIn),
    badges: badgeStore(openTables(sqlite, 'badges', badgeTables)),
    clock,
    origin: publicUrl?.origin ?? 'http://localhost:8080',
    repoFolder,
    editorScript: assets.url('editor.js'),
    patience: options.patience ?? usualPatience,
    stopping,
  }
  const app = createApp({
    log,
    info: {
      title: 'Longhouse instance',
      version,
      description:
        'One customer’s scheduled TypeScript jobs. Sign in once and send the cookie, or send an API token as a bearer.',
      tags: apiTags,
    },
    server: () => publicUrl?.origin ?? null,
    // The repo's routes stand before those of the jobs: `repo` is no job id.
    routes: [
      healthRoute({ instanceId, version, engine: options.engine, knows: access.knows, log }),
      ...authRoutes({
        sessions,
        cookie,
        gate,
        login,
        sso: settings.sso !== null,
        guesses: guessLimit(clock),
        known: sessionCookie({ https, kind: 'browser' }),
        clock,
        place,
      }),
      ...sso.routes,
      ...methodRoutes({ person: access.person, sso: settings.sso, login, sessions, cookie }),
      ...repoRoutes(web),
      ...syncRoutes(web, publicUrl?.origin ?? 'http://localhost:8080'),
      ...secretRoutes(web),
      ...codeRoutes(web),
      ...fileRoutes(web),
      ...rawFileRoutes(web),
      ...jobRoutes(web),
      ...runRoutes(web),
      ...scheduleRoutes(web),
      ...editorRoutes(web),
      ...historyRoutes(web),
      ...pageRoutes(web),
      ...runPageRoutes(web),
      ...runFormRoutes(web),
      ...stateRoutes(web),
      ...badgeRoutes(web),
      metricsRoute(web, version),
      ...noticeRoutes(web, options.notices),
      ...tokenRoutes(web, tokens),
      ...auditRoutes(web, audit),
    ].map(route => audited(route, audit)),
    trustedProxies: settings.trustedProxies,
    https,
    ...(publicUrl && { origins: () => [publicUrl.origin] }),
    before: [answerAs(instanceId), sandboxed, compress()],
    renderer: pageRenderer({
      place,
      warning: () =>
        options.engine()?.stopping()
          ? 'This instance is stopping. Runs that are going may end; no other starts until it is back.'
          : null,
      assets: { style: assets.url('style.css'), script: assets.url('htmx.js'), icon: assets.url('icon.svg') },
    }),
    problemPage: (c, problem) => problemPage(c, problem, isPerson(c, web)),
  })
  assets.mount(app)
  await adopting
  return app
}

/** True for a person who is signed in. What is wrong may be just this check: then nobody is. */
function isPerson(c: AppContext, { knows }: WebContext): boolean {
  try {
    return c.req.header('authorization') === undefined && knows(c)
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
