import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { addressSet } from '../../src/http/address.ts'
import { open, type Route, route } from '../../src/http/route.ts'
import type { Site } from '../site/contract.ts'
import { askedTooOften, notServed } from './problems.ts'

/** A proxy asks once for each certificate that it has not got yet. */
const mostASecond = 200

/** Tells the proxy in front whether to get a certificate for a host name: Caddy's on-demand TLS asks before each one. */
export function tlsAskRoute(parts: {
  site: Pick<Site, 'trustedProxies'>
  clock: Clock
  serves(host: string): boolean
}): Route {
  const { site, clock, serves } = parts
  const near = addressSet(['127.0.0.0/8', '::1', ...site.trustedProxies])
  let second = 0
  let asked = 0
  /** Answers wrong guesses of strangers on the host, too; without a limit they would keep the program busy. */
  const isTooOften = () => {
    const now = Math.floor(clock.monotonic() / 1000)
    if (now !== second) asked = 0
    second = now
    return ++asked > mostASecond
  }
  return route({
    method: 'get',
    path: '/internal/tls-ask',
    operation: 'askForTls',
    tag: 'internal',
    summary: 'Whether the proxy in front should get a certificate for a host name; only for that proxy',
    guard: open,
    query: z.object({
      domain: z.string().min(1, 'must not be empty').max(253, 'may have at most 253 characters'),
    }),
    answers: {
      200: { description: 'It is served here', schema: z.object({ domain: z.string() }) },
    },
    handle: (c, { query }) => {
      const domain = query.domain.toLowerCase().replace(/\.$/, '')
      const refused = `${domain} is not served here.`
      // The client's address: what the proxy passes on for someone else is not its own question.
      if (!near.has(c.get('client'))) throw notServed(refused)
      if (isTooOften()) throw askedTooOften('Ask again in a second.', { headers: { 'Retry-After': '1' } })
      if (!serves(domain)) throw notServed(refused)
      return c.json({ domain })
    },
  })
}
