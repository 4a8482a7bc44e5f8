import type { Context } from 'hono'

/** True for a browser: HTML for clients that accept it by name, JSON for all others. */
export function wantsPage(c: Context): boolean {
  return (c.req.header('accept') ?? '').toLowerCase().includes('text/html')
}

/** True if htmx requests a part of a page. */
export function wantsFragment(c: Context): boolean {
  return c.req.header('hx-request') === 'true'
}

/** The longest wait for a response, in seconds. */
export const longestWait = 120

/**
 * Seconds of the preference `Prefer: wait=N` (RFC 7240), at most 120; 0 if it is missing or invalid, because a
 * preference that cannot be honoured is ignored.
 */
export function preferredWait(c: Context): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d+)"?/i.exec(c.req.header('prefer') ?? '')
  return match ? Math.min(longestWait, Number(match[1])) : 0
}
