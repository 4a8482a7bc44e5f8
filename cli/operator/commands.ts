import type { Command } from '../command/call.ts'
import { ofAccess } from './access.ts'
import { ofAlerts } from './alerts.ts'
import { copying } from './backups.ts'
import { bulk } from './bulk.ts'
import { ofEnvironment } from './environment.ts'
import { lookingBack } from './history.ts'
import { instance } from './instance.ts'
import { instances } from './instances.ts'
import { operating } from './operate.ts'
import { raw } from './raw.ts'
import { ofFleetUpgrades } from './upgrades.ts'
import { watching } from './watching.ts'

/** The commands that ask a control plane. */
export const operatorCommands: readonly Command[] = [
  instances,
  instance,
  ...lookingBack,
  ...operating,
  bulk,
  ...ofEnvironment,
  ...ofFleetUpgrades,
  ...copying,
  ...watching,
  ...ofAlerts,
  ...ofAccess,
  raw,
]
