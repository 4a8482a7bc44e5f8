import { definePlugin } from '../../src/kernel/runtime.ts'
import { declaration } from './declaration.ts'
import { setUpJobs } from './setup.ts'
import type { JobsTuning } from './tuning.ts'

/** The jobs plugin; tests set other limits, and move the clock. */
export const jobsWith = (tuning: JobsTuning) =>
  definePlugin({ ...declaration, setup: context => setUpJobs(context, tuning) })

/** The core of an instance: the manifest, the schedule, the runs. */
export const jobs = jobsWith({})
