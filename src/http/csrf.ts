import type { MiddlewareHandler } from 'hono'
import { crossSite } from './problem.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses changes that a page of another origin makes a browser request. The rule is that of Go's
 * `http.CrossOriginProtection`: `Sec-Fetch-Site` decides where a browser sends it; otherwise `Origin` must name this
 * host or be one of `own`, the public origins, because a proxy may change the host. A request with neither is not
 * from a browser. `same-site` is refused too, because tenants are on sibling subdomains. A browser never adds a
 * bearer token by itself, so such calls are exempt; a Basic password is not.
 */
export const refuseCrossSite =
  (own: () => readonly string[]): MiddlewareHandler =>
  async (c, next) => {
    if (!safe.has(c.req.method) && !/^Bearer\s/i.test(c.req.header('authorization') ?? '')) {
      const site = c.req.header('sec-fetch-site')
      const origin = c.req.header('origin')
      const ours = site
        ? site === 'same-origin' || site === 'none'
        : origin === undefined || own().includes(origin) || sameHost(origin, c.req.header('host'))
      if (!ours) throw crossSite('Open this page on its own site and try again; nothing was changed.')
    }
    await next()
  }

function sameHost(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host: from } = new URL(origin)
  // A client may include the scheme's default port; a URL omits it.
  const to = host && URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : ''
  return from !== '' && from === to
}
