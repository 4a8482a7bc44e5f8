import { createHash } from 'node:crypto'
import { and, inArray, isNull, ne, or, type SQL } from 'drizzle-orm'
import { isUnbranded } from '../../../views/brand.tsx'
import { siteUrl } from '../../site/contract.ts'
import { type Instance, instances } from '../schema.ts'
import type { Fleet } from './fleet.ts'
import { mayRun, wanted } from './instance.ts'

const runningStatuses = ['running', 'unhealthy'] as const

/**
 * A digest of everything that the control plane's own settings put into every instance. What instances renew by
 * themselves is no part of it, nor what belongs to one instance: changing that restarts it.
 */
export function settingsDigest(fleet: Fleet): string {
  const { site, driver, timezone, stopGraceMs, keep, packagesBytes, secretKeys, mail, environments } = fleet
  const { diskBytes, runsAtOnce } = fleet
  const equipped = environments().flatMap(({ variables, renewed }) =>
    Object.entries(variables).filter(([name]) => !renewed.includes(name)),
  )
  const url = siteUrl(site, '')
  const key = secretKeys.of('')
  const parts = {
    url,
    timezone,
    stopGraceMs,
    keep,
    packagesBytes,
    diskBytes,
    runsAtOnce,
    key,
    mail,
    // Instances of sites without a brand were made before there were brands.
    brand: isUnbranded(site.brand) ? undefined : site.brand,
    equipped,
    driver: [driver.name, driver.settings],
  }
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

/** Whether a running instance was made with other settings than today's. */
export function hasOlderSettings(instance: Instance, digest: string): boolean {
  const runs = runningStatuses.some(status => status === instance.status)
  return runs && wanted(instance) === 'running' && instance.settings !== digest
}

/** The same for a query. */
export function olderSettings(digest: string): SQL | undefined {
  return and(
    mayRun,
    inArray(instances.status, [...runningStatuses]),
    or(isNull(instances.settings), ne(instances.settings, digest)),
  )
}
