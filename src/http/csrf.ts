import type { MiddlewareHandler } from 'hono'
import { crossSite } from './problem.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses changes that a page of another origin asks a browser to make. The rule is that of Go's
 * `http.CrossOriginProtection`: `Sec-Fetch-Site` decides where a browser sends it; else `Origin` must name this host
 * or be one of `own`, the addresses that people see while a proxy may change the host on its way; a request with neither comes from no browser. `same-site` is refused too, for tenants live on sibling subdomains.
 * A bearer token is never sent by a browser on its own, so such calls are exempt; a Basic password is.
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
  // A client may write the scheme's own port; a URL leaves it out.
  const to = host && URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : ''
  return from !== '' && from === to
}
