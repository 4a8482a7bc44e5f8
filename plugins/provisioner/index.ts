import { systemClock } from '../../src/clock.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { declaration } from './declaration.ts'
import { chooseDriver } from './drivers/choice.ts'
import type { StepRuns } from './reconciler/step-context.ts'
import { stepRuns } from './reconciler/steps.ts'
import { setUpProvisioner } from './setup.ts'
import { patientLook, type VolumeLook } from './volumes/inspection.ts'
import { lookAtVolume } from './volumes/volume.ts'

/** The provisioner over whatever creates instances; tests pass a driver, a disk, and what surrounds each step, of their own. */
export const provisionerOver = (
  choose: typeof chooseDriver,
  look: VolumeLook = patientLook(lookAtVolume, systemClock),
  runs: StepRuns = stepRuns,
) =>
  definePlugin({
    ...declaration,
    setup: async context => {
      const { config, services, log } = context
      return await setUpProvisioner(context, await choose(config, services.site, log), look, runs)
    },
  })

export const provisioner = provisionerOver(chooseDriver)
