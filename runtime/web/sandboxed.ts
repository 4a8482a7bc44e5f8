import type { MiddlewareHandler } from 'hono'

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
/**
 * A browser plays sound and video in a page of its own that loads the same address again, under this policy: Chromium
 * requires the origin for that. Scripts stay off, and `nosniff` keeps it from becoming any other page.
 */
const mediaPolicy = `${policy.replace('img-src', "media-src 'self'; img-src")} allow-same-origin`

/**
 * Restricts responses that are files: they run no scripts, send no forms, and have an origin of their own. Applies by
 * address and around everything else, so that no handler can forget it.
 */
export const sandboxed: MiddlewareHandler = async (c, next) => {
  await next()
  if (!/^\/api\/jobs\/repo\/(commits\/[^/]+\/)?files\//.test(c.req.path) || c.req.query('raw') === undefined)
    return
  const isMedia = /^(audio|video)\//.test(c.res.headers.get('content-type') ?? '')
  c.header('Content-Security-Policy', isMedia ? mediaPolicy : policy)
  c.header('X-Content-Type-Options', 'nosniff')
}
