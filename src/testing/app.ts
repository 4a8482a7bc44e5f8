import type { Hono } from 'hono'
import { type AppOptions, createApp } from '../http/app.ts'
import type { AppEnv, Route } from '../http/route.ts'
import { silentLog } from '../log.ts'

/** Pages as bare text, so that tests need no views. */
export const plainWeb: Pick<AppOptions, 'info' | 'problemPage'> & { renderer(): AppOptions['renderer'] } = {
  info: { title: 'Test', version: '0', description: 'A program for a test' },
  renderer: () => async (c, next) => {
    c.setRenderer(async content => c.html(await content))
    await next()
  },
  problemPage: (c, problem) => c.html(`<h1>${problem.title}</h1>`, problem.status as 400),
}

/** An app with only these routes, for `app.request()`. Pages are bare text. */
export function appForTest(routes: readonly Route[], options: Partial<AppOptions> = {}): Hono<AppEnv> {
  return createApp({
    log: silentLog,
    routes,
    https: false,
    trustedProxies: [],
    info: plainWeb.info,
    renderer: plainWeb.renderer(),
    problemPage: plainWeb.problemPage,
    ...options,
  })
}
