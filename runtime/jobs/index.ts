import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../packages/contract.ts'
import '../repo/contract.ts'
import '../secrets/contract.ts'
import '../state/contract.ts'
import '../volume/contract.ts'
import './contract.ts'
import { openJobs } from './jobs.ts'
import { jobsRoutes } from './pages/routes.ts'
import * as schema from './schema.ts'
import type { JobsTuning } from './tuning.ts'

/** The jobs plugin; tests set other limits, and move the clock. */
export const jobsWith = (tuning: JobsTuning) =>
  definePlugin({
    name: 'jobs',
    needs: ['auth', 'packages', 'repo', 'secrets', 'state', 'volume'],
    asks: { 'before-first-load': 'any' },
    config: z.object({
      /** For jobs without a zone of their own. */
      LONGHOUSE_TIMEZONE: setting.timezone().default('UTC'),
      /** How many runs of each job are kept, and for how long. */
      LONGHOUSE_KEEP_RUNS: setting.integer(1, 100_000).prefault('500'),
      LONGHOUSE_KEEP_FOR: setting.duration('1h', '3650d').prefault('90d'),
    }),
    tables: { schema, migrations: 'runtime/jobs/migrations' },
    setup: ({ config, db, log, clock, services: { auth, volume, ...services }, hooks, emit }) => {
      const jobs = openJobs({
        ...services,
        db,
        folders: volume.folders,
        clock,
        log,
        timezone: config.LONGHOUSE_TIMEZONE,
        keep: { runsPerJob: config.LONGHOUSE_KEEP_RUNS, ageMs: config.LONGHOUSE_KEEP_FOR },
        tuning,
        onCommit: commit => emit('commit-made', { commit }),
      })
      const { service } = jobs
      const recovered = () => Promise.all(hooks.all('before-first-load').map(({ answer }) => answer()))
      return {
        service,
        routes: jobsRoutes({
          jobs: service,
          packages: services.packages,
          access: auth,
          clock,
          address: volume.address,
          stopping: jobs.stopping,
        }),
        tasks: jobs.tasks,
        checks: { scheduler: jobs.check },
        hooks: {
          'secret-users': service.list.all,
          'require-job': id => void service.list.everKnown(id),
          'tree-stamp': jobs.treeStamp,
        },
        start: () =>
          jobs.start(recovered, () => {
            emit('first-load-ended', {})
            services.repo.completeNew()
          }),
        drain: async ({ patience }) => {
          const { waitMs, tidyMs } = sharesOf(volume.stopGraceMs)
          await jobs.drain({ waitMs: patience ? waitMs : 0, tidyMs })
          jobs.endOpenResponses()
        },
        stop: jobs.stop,
      }
    },
  })

/** The core of an instance: the manifest, the schedule, the runs. */
export const jobs = jobsWith({})

/** Splits the grace period: time for runs to end by themselves, and to clean up after that; the rest is for closing. */
function sharesOf(graceMs: number): { waitMs: number; tidyMs: number } {
  const tidyMs = Math.min(5000, graceMs / 4)
  const closingMs = Math.min(5000, graceMs / 4)
  return { waitMs: graceMs - tidyMs - closingMs, tidyMs }
}
