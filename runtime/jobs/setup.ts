import type { SetupContext, SetupParts } from '../../src/kernel/runtime.ts'
import type { declaration } from './declaration.ts'
import { openJobs } from './jobs.ts'
import { jobsRoutes } from './pages/routes.ts'
import type { JobsTuning } from './tuning.ts'

/** Sets up the jobs plugin. `tuning` sets other limits, for tests. */
export function setUpJobs(
  {
    config,
    db,
    log,
    clock,
    services: { auth, volume, ...services },
    hooks,
    emit,
  }: SetupContext<typeof declaration>,
  tuning: JobsTuning,
): SetupParts<typeof declaration> {
  const jobs = openJobs({
    ...services,
    db,
    folders: volume.folders,
    room: volume.room,
    clock,
    log,
    timezone: config.LONGHOUSE_TIMEZONE,
    runsAtOnce: config.LONGHOUSE_RUNS_AT_ONCE,
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
      repoFolder: volume.folders.jobsDir,
      address: volume.address,
      stopping: jobs.stopping,
    }),
    tasks: jobs.tasks,
    on: { 'disk-overfilled': ({ words }) => jobs.endRuns(words) },
    checks: { scheduler: jobs.check },
    hooks: {
      'secret-users': service.list.all,
      'require-job': id => void service.list.everKnown(id),
      'tree-stamp': jobs.treeStamp,
      'packages-in-use': jobs.packagesInUse,
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
}

/** Splits the grace period: time for runs to end by themselves, and to clean up after that; the rest is for closing. */
function sharesOf(graceMs: number): { waitMs: number; tidyMs: number } {
  const tidyMs = Math.min(5000, graceMs / 4)
  const closingMs = Math.min(5000, graceMs / 4)
  return { waitMs: graceMs - tidyMs - closingMs, tidyMs }
}
