import type { MiddlewareHandler } from 'hono'
import { labelOf, type Site, siteUrl } from '../plugins/site/contract.ts'
import { wantsPage } from '../src/http/negotiate.ts'
import type { AppEnv } from '../src/http/route.ts'

/**
 * Redirects browsers from the bare domain to `control.<domain>`. A cookie belongs to one host: a sign-in that starts at the
 * bare domain would return from the provider to the other host, without its cookie. Scripts are answered on the bare
 * domain, because many do not follow redirects; only sign-in always moves.
 */
export function canonicalHost(site: Site): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const bare = labelOf(site, c.req.header('host') ?? new URL(c.req.url).host) === ''
    if (!bare || !(wantsPage(c) || c.req.path.startsWith('/auth/'))) return next()
    const { pathname, search } = new URL(c.req.url)
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD'
    // A form from the bare domain would be refused at the other host as cross-site, so its page is shown there instead.
    const target = reads ? pathname + search : pathname.startsWith('/auth/') ? '/sign-in' : pathname
    return c.redirect(siteUrl(site, 'control') + target, reads ? 308 : 303)
  }
}
