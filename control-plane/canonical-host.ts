import type { MiddlewareHandler } from 'hono'
import { labelOf, type Site, siteUrl } from '../plugins/site/contract.ts'
import { wantsPage } from '../src/http/negotiate.ts'
import type { AppEnv } from '../src/http/route.ts'

/**
 * Sends a browser that comes to the bare domain on to `control.<domain>`. A cookie holds for one host: a sign-in that
 * began at the bare domain would come back from the provider at the other host, without the cookie that proves it.
 * Scripts are answered where they ask, because many do not follow redirects; only sign-in always moves.
 */
export function canonicalHost(site: Site): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const bare = labelOf(site, c.req.header('host') ?? new URL(c.req.url).host) === ''
    if (!bare || !(wantsPage(c) || c.req.path.startsWith('/auth/'))) return next()
    const { pathname, search } = new URL(c.req.url)
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD'
    // A form of the bare domain would be refused at the other host as cross-site: its page is shown there instead.
    const target = reads ? pathname + search : pathname.startsWith('/auth/') ? '/sign-in' : pathname
    return c.redirect(siteUrl(site, 'control') + target, reads ? 308 : 303)
  }
}
