import { isBehind } from '../records/default-image.ts'
import { findRollback } from '../records/pinned-image.ts'
import { hasOlderSettings, settingsDigest } from '../records/settings-digest.ts'
import type { Instance } from '../schema.ts'
import type { ProvisionerRoutes } from './answer.ts'

type Parts = Pick<ProvisionerRoutes, 'fleet' | 'health'>

/** Returns what tells how current the runtime of an instance is; today's settings are read once for all. */
export function runtimeViews({ fleet, health }: Parts) {
  const digest = settingsDigest(fleet)
  return (instance: Instance) => ({
    outdated: hasOlderSettings(instance, digest),
    behind: isBehind(instance, fleet.defaultImage),
    version: health.versionOf(instance.id),
  })
}

/** What an instance can be upgraded to, and can go back to. */
export function upgradeView({ fleet }: Parts, instance: Instance) {
  const { usesImages } = fleet.driver
  return {
    image: usesImages ? instance.image : null,
    defaultImage: usesImages ? fleet.defaultImage.name : null,
    rollback: findRollback(fleet.db, instance.id),
  }
}
