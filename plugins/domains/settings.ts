import { Resolver } from 'node:dns'
import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'

export const domainsConfig = z
  .object({
    /** How many domains one instance may have, unless its owner's plan says otherwise. */
    DOMAINS_LIMIT: setting.integer(0, 1000).prefault('5'),
    DOMAINS_GRACE: setting.duration('0ms', '90d').prefault('7d'),
    DOMAINS_CLAIM: setting.duration('1h', '90d').prefault('7d'),
    DOMAINS_RESOLVERS: setting
      .list()
      .refine(
        areServers,
        'must be addresses of name servers, such as 192.0.2.53 or [2001:db8::53]:5353, separated by commas',
      )
      .prefault(''),
  })
  .transform(env => ({
    most: env.DOMAINS_LIMIT,
    graceMs: env.DOMAINS_GRACE,
    claimMs: env.DOMAINS_CLAIM,
    resolvers: env.DOMAINS_RESOLVERS,
  }))

export type DomainsSettings = z.output<typeof domainsConfig>

function areServers(list: readonly string[]): boolean {
  try {
    new Resolver().setServers(list)
    return true
  } catch {
    return false
  }
}
