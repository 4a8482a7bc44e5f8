import type { Command } from '../command/call.ts'
import { ofAccess } from './access.ts'
import { ofAddresses } from './addresses.ts'
import { ofAlerts } from './alerts.ts'
import { copying } from './backups.ts'
import { bulk } from './bulk.ts'
import { ofEnvironment } from './environment.ts'
import { lookingBack } from './history.ts'
import { ofHost } from './host.ts'
import { instance } from './instance.ts'
import { instances } from './instances.ts'
import { operating } from './operate.ts'
import { ofQuotas } from './quotas.ts'
import { raw } from './raw.ts'
import { ofFleetUpgrades } from './upgrades.ts'
import { open, watching } from './watching.ts'

/** The commands that ask a control plane, by the groups of the help. */
export const operatorCommands: Readonly<Record<string, readonly Command[]>> = {
  Instances: [
    instances,
    instance,
    ...lookingBack,
    open,
    ...operating,
    bulk,
    ...ofEnvironment,
    ...ofAddresses,
  ],
  Backups: copying,
  Fleet: ofFleetUpgrades,
  Host: [...ofHost, ...ofQuotas],
  Watching: [...watching, ...ofAlerts],
  Access: [...ofAccess, raw],
}
