import type { Hono } from 'hono'
import { plainWeb } from '../../control-plane/boot.fixture.ts'
import { type AppOptions, createApp } from '../http/app.ts'
import type { AppEnv, Route } from '../http/route.ts'
import { silentLog } from '../log.ts'

/** An app of these routes alone, to be asked with `app.request()`. Pages are bare text. */
export function appForTest(routes: readonly Route[], options: Partial<AppOptions> = {}): Hono<AppEnv> {
  return createApp({
    log: silentLog,
    routes,
    https: false,
    trustedProxies: [],
    info: plainWeb.info,
    renderer: plainWeb.renderer({} as never),
    problemPage: plainWeb.problemPage,
    ...options,
  })
}
