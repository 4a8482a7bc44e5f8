import { systemClock } from '../../src/clock.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { declaration } from './declaration.ts'
import { chooseDriver } from './drivers/choice.ts'
import { setUpProvisioner } from './setup.ts'
import { patientLook, type VolumeLook } from './volumes/inspection.ts'
import { lookAtVolume } from './volumes/volume.ts'

/** The provisioner over whatever creates instances; tests pass a driver, and a disk, of their own. */
export const provisionerOver = (
  choose: typeof chooseDriver,
  look: VolumeLook = patientLook(lookAtVolume, systemClock),
) =>
  definePlugin({
    ...declaration,
    setup: async context => {
      const { config, services, log } = context
      return await setUpProvisioner(context, await choose(config, services.site, log), look)
    },
  })

export const provisioner = provisionerOver(chooseDriver)
