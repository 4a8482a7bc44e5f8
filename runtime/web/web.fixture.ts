import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Hono } from 'hono'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { openSqlite } from '../../src/database.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { silentLog } from '../../src/log.ts'
import { openSeal } from '../../src/seal.ts'
import type { Engine } from '../contract.ts'
import { startInstance, type TestInstance } from '../engine.fixture.ts'
import { type Notices, openNotices } from '../notices/notices.ts'
import type { SsoSettings } from '../settings.ts'
import { createWeb } from './app.tsx'
import type { Patience } from './context.ts'

export const password = 'correct horse battery'
export const instanceId = 'inst_test'

/** A page is asked for as browsers do. */
export const browser = { Accept: 'text/html,application/xhtml+xml', 'Sec-Fetch-Site': 'same-origin' }

export interface Web {
  app: Hono<AppEnv>
  instance: TestInstance
  notices: Notices
  /** Signs in, and returns what the browser then sends as its cookie. */
  signIn(): Promise<string>
  stopping: AbortController
}

export interface WebTestOptions {
  files?: Record<string, string>
  clock?: Clock
  publicUrl?: string
  sso?: SsoSettings
  handedOverAt?: number
  /** Stands for a program whose engine is not there yet. */
  withoutEngine?: boolean
  /** Answers wait for their load for as long as it takes, so that a slow machine changes no answer. */
  patience?: Partial<Patience>
}

const longestMs = 10 * 60_000

/** The web side over a real engine on a volume of its own. */
export async function startWeb(t: TestContext, options: WebTestOptions = {}): Promise<Web> {
  const { files, clock = systemClock, publicUrl, withoutEngine = false } = options
  const instance = await startInstance(t, files ? { files } : {})
  const sqlite = openSqlite(join(instance.dir, 'longhouse.db'))
  const stopping = new AbortController()
  t.after(() => {
    stopping.abort()
    sqlite.close()
  })
  const place = { name: 'acme', origin: publicUrl ?? null }
  const seal = openSeal({ given: null, keyFile: join(instance.dir, 'secret.key') })
  const mail = { smtpUrl: '', smtpFrom: '' }
  const notices = openNotices({ sqlite, seal, clock, log: silentLog, place, mail })
  const app = await createWeb({
    settings: {
      instanceId,
      publicUrl: publicUrl ? new URL(publicUrl) : null,
      password,
      handedOverAt: options.handedOverAt ?? null,
      trustedProxies: ['127.0.0.1'],
      sso: options.sso ?? null,
    },
    version: '0.0.0',
    log: silentLog,
    clock,
    assets: { url: name => `/assets/${name}`, mount: () => {} },
    sqlite,
    notices,
    repoFolder: join(instance.dir, 'jobs'),
    engine: (): Engine | null => (withoutEngine ? null : instance.engine),
    patience: { pageMs: longestMs, busyPageMs: 0, apiMs: longestMs, ...options.patience },
    stopping: stopping.signal,
  })
  const signIn = async () => {
    const answer = await postJson(app, '/api/auth/password', { password })
    return cookieOf(answer)
  }
  return { app, instance, notices, signIn, stopping }
}

export async function postJson(
  app: Hono<AppEnv>,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return app.request(path, { method: 'POST', body: JSON.stringify(body), headers })
}

/** As a browser sends a form. */
export async function postForm(
  app: Hono<AppEnv>,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return app.request(path, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { ...browser, ...headers },
  })
}

export function cookieOf(answer: Response): string {
  const set = answer.headers.get('set-cookie') ?? ''
  return set.split(';')[0] ?? ''
}
