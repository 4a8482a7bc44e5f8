import type { MiddlewareHandler } from 'hono'

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
/**
 * A browser shows sound and video in a page of its own that loads the same address again, by the rules of this
 * policy: Chromium lets it only with the origin kept. There is still no script, and `nosniff` makes no other page of it.
 */
const mediaPolicy = `${policy.replace('img-src', "media-src 'self'; img-src")} allow-same-origin`

/**
 * Whatever is answered as a file itself is no page of ours: it runs no script, sends no form, and has an origin of its
 * own. By the address, and around everything else, so that no handler can forget it.
 */
export const sandboxed: MiddlewareHandler = async (c, next) => {
  await next()
  if (!c.req.path.startsWith('/api/jobs/repo/files/') || c.req.query('raw') === undefined) return
  const isMedia = /^(audio|video)\//.test(c.res.headers.get('content-type') ?? '')
  c.header('Content-Security-Policy', isMedia ? mediaPolicy : policy)
  c.header('X-Content-Type-Options', 'nosniff')
}
