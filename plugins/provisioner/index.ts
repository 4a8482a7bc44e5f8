import { systemClock } from '../../src/clock.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import './contract.ts'
import { chooseDriver } from './drivers/choice.ts'
import * as schema from './schema.ts'
import { provisionerConfig } from './settings.ts'
import { asks, setUpProvisioner } from './setup.ts'
import { patientLook, type VolumeLook } from './volumes/inspection.ts'
import { lookAtVolume } from './volumes/volume.ts'

/** The provisioner over whatever creates instances; tests pass a driver, and a disk, of their own. */
export const provisionerOver = (
  choose: typeof chooseDriver,
  look: VolumeLook = patientLook(lookAtVolume, systemClock),
) =>
  definePlugin({
    name: 'provisioner',
    needs: ['auth', 'router', 'site'],
    asks,
    config: provisionerConfig,
    tables: { schema, migrations: 'plugins/provisioner/migrations' },
    setup: async context => {
      const { config, services, log } = context
      return await setUpProvisioner(context, await choose(config, services.site, log), look)
    },
  })

export const provisioner = provisionerOver(chooseDriver)
