import type { TestContext } from 'node:test'
import type { Hono } from 'hono'
import type { Clock } from '../../src/clock.ts'
import type { AppEnv } from '../../src/http/route.ts'
import type { Plugin } from '../../src/kernel/plugin.ts'
import type { SsoSettings } from '../auth/settings.ts'
import { startInstance, type TestInstance } from '../engine.fixture.ts'
import type { Patience } from '../files/files-web.ts'
import type { Notices } from '../notices/notices.ts'

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
  /** Ends what never ends by itself, as a stopping program does. */
  stopping: { abort(): void }
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
  /** Plugins after those of the program's list. */
  extraPlugins?: readonly Plugin[]
  /** More settings of the instance. */
  settings?: Record<string, string>
}

const longestMs = 10 * 60_000

/** The web side of an instance on a volume of its own. */
export async function startWeb(t: TestContext, options: WebTestOptions = {}): Promise<Web> {
  const {
    files,
    clock,
    publicUrl,
    sso,
    handedOverAt,
    withoutEngine = false,
    extraPlugins,
    settings,
  } = options
  const instance = await startInstance(t, {
    ...(files && { files }),
    ...(clock && { clock }),
    ...(extraPlugins && { extraPlugins }),
    unstarted: withoutEngine,
    patience: { pageMs: longestMs, busyPageMs: 0, apiMs: longestMs, ...options.patience },
    settings: {
      LONGHOUSE_INSTANCE_ID: instanceId,
      LONGHOUSE_TRUSTED_PROXIES: '127.0.0.1',
      ...settings,
      ...(publicUrl && { LONGHOUSE_PUBLIC_URL: publicUrl }),
      ...(handedOverAt !== undefined && { LONGHOUSE_HANDED_OVER_AT: new Date(handedOverAt).toISOString() }),
      ...(sso && { LONGHOUSE_SSO_ISSUER: sso.issuer, LONGHOUSE_SSO_KEYS: JSON.stringify(sso.keys) }),
    },
  })
  const { app, notices } = instance.engine
  const signIn = async () => cookieOf(await postJson(app, '/api/auth/password', { password }))
  return { app, instance, notices, signIn, stopping: { abort: () => instance.engine.endOpenResponses() } }
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
