import { join } from 'node:path'
import type { SetupContext } from '../../src/kernel/control-plane.ts'
import type { declaration } from './declaration.ts'
import type { Driver } from './driver.ts'
import { Addresses } from './drivers/addresses.ts'
import { DefaultImage } from './records/default-image.ts'
import type { Fleet } from './records/fleet.ts'
import { instanceMail } from './records/instance-mail.ts'
import { loadSecretKeys } from './records/secret-keys.ts'
import { openVariables, type Variables } from './variables/variables.ts'
import type { VolumeLook } from './volumes/inspection.ts'
import { folderTurns } from './volumes/turns.ts'

type Context = SetupContext<typeof declaration>

/** What every part of the provisioner works on, from its settings and the hooks that it asks. */
export function fleetOf(
  context: Context,
  driver: Driver,
  lookAtVolume: VolumeLook,
): { fleet: Fleet; variables: Variables } {
  const { config, db, clock, services, hooks, emit } = context
  const { router, site } = services
  const control = join(site.dataRoot, '.control')
  const secretKeys = loadSecretKeys(config, join(control, 'instance-secrets-key'))
  const variables = openVariables(db, secretKeys, control)
  const fleet: Fleet = {
    ...{ db, driver, router, lookAtVolume, site, clock, emit },
    inTurn: folderTurns(),
    timezone: config.INSTANCE_TIMEZONE,
    keep: { runsPerJob: config.INSTANCE_KEEP_RUNS, forMs: config.INSTANCE_KEEP_FOR },
    packagesBytes: config.INSTANCE_PACKAGES_LIMIT,
    limits: { memoryBytes: config.INSTANCE_MEMORY, cpus: config.INSTANCE_CPUS, pids: config.INSTANCE_PIDS },
    diskBytes: config.INSTANCE_DISK,
    runsAtOnce: config.INSTANCE_RUNS,
    stopGraceMs: config.PROVISIONER_STOP_GRACE,
    secretKeys,
    variables: id => ({
      values: variables.values(id),
      secrets: variables.secrets(id),
      digest: variables.digest(id),
    }),
    mail: instanceMail(config),
    quarantineMs: config.PROVISIONER_QUARANTINE,
    copies: () => hooks.optional('volume-copies'),
    imagesInUse: () => hooks.all('images-in-use').flatMap(({ answer }) => answer()),
    changed: change => {
      for (const { answer: record } of hooks.all('instance-change')) record(change)
    },
    defaultImage: new DefaultImage(config.CONTROL_PLANE_IMAGE, driver),
    addresses: new Addresses(driver),
    environments: () => hooks.all('instance-environment').map(({ answer }) => answer()),
  }
  return { fleet, variables }
}
