import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { programVersion } from '../manifest/program-version.ts'
import type { Packages } from '../packages/contract.ts'
import { containerMemoryBytes, memoryOfRunsMb } from '../process/memory.ts'
import type { RepoService } from '../repo/contract.ts'
import type { SecretsService } from '../secrets/contract.ts'
import type { StateService } from '../state/contract.ts'
import type { Folders, Room } from '../volume/contract.ts'
import type { JobsService } from './contract.ts'
import { jobList } from './job-list.ts'
import type { JobsDb } from './jobs-db.ts'
import { openLiveSet } from './live-set/live-set.ts'
import { openLoading } from './live-set/loading.ts'
import { housekeeping } from './runs/housekeeping.ts'
import { runLogs } from './runs/logs.ts'
import { runService } from './runs/runs.ts'
import { openSchedule } from './slots/schedule.ts'
import { slotService } from './slots/slots.ts'
import type { JobsTuning } from './tuning.ts'

export interface JobsParts {
  db: JobsDb
  folders: Folders
  room: Room
  secrets: SecretsService
  state: StateService
  packages: Packages
  repo: RepoService
  clock: Clock
  log: Logger
  timezone: string
  runsAtOnce: number
  keep: { runsPerJob: number; ageMs: number }
  tuning: JobsTuning
  onCommit: (commit: string) => void
}

/** Opens the jobs of an instance: the manifest, the schedule, the runs and their history. */
export function openJobs(parts: JobsParts) {
  const { db, folders, secrets, state, clock, timezone, tuning } = parts
  const stopping = new AbortController()
  const memoryMb = memoryOfRunsMb(containerMemoryBytes())
  const limits = {
    runs: { concurrent: parts.runsAtOnce, waiting: 1000, memoryMb, graceMs: 5000, ...tuning.runs },
    load: { readMs: 10_000, memoryMb, ...tuning.load },
    keep: { slotsPerJob: 2000, ...parts.keep, ...tuning.keep },
  }
  const version = programVersion(timezone)
  const live = openLiveSet(db, version)
  const schedule = openSchedule({ ...parts, live, limits: limits.runs, env: tuning.env ?? {} })
  const { queue, scheduler } = schedule
  const loading = openLoading({
    ...parts,
    live,
    version,
    limits: limits.load,
    onLive: () => scheduler.refresh(clock.now()),
    buildsInUse: queue.builds,
  })
  const retryPackages = async (): Promise<void> => {
    if (parts.packages.claimRetry()) await loading.manifest.reload()
  }
  const tidying = housekeeping({
    db,
    runsDir: folders.runsDir,
    keep: limits.keep,
    live,
    state,
    queue,
    retryPackages,
    isLoading: () => !loading.manifest.ready(),
    clock,
  })
  const logs = runLogs({ db, queue, runsDir: folders.runsDir })
  const list = jobList({ db, live, secrets, scheduler, clock, memoryMb: limits.runs.memoryMb })
  const service: JobsService = {
    manifest: loading.manifest,
    list,
    runs: runService({
      db,
      live,
      queue,
      clock,
      logs,
      mostWaiting: limits.runs.waiting,
      stopping: stopping.signal,
    }),
    logs,
    slots: slotService(db),
    edits: loading.edits,
    phase: () => (queue.isStopped() ? 'stopping' : schedule.isRunning() ? 'running' : 'starting'),
  }

  return {
    service,
    treeStamp: loading.treeStamp,
    packagesInUse: loading.packagesInUse,
    /** Aborts with `endOpenResponses`. */
    stopping: stopping.signal,
    /** Ends the responses that follow a log or wait for the end of a run. */
    endOpenResponses: () => stopping.abort(),
    /** Ends the runs in progress: the instance takes far more of the disk than it may. */
    endRuns: (words: string) =>
      queue.endAll(`the run was ended. ${words}. Jobs may have written too much to data/`),
    tasks: tidying.tasks,
    /** Throws when due slots are not decided, with the reason. */
    check: schedule.check,
    /** Continues where the runtime before stopped, and loads the files once `recovered` has resolved. */
    start: (recovered: () => Promise<unknown>, onFirstLoad: () => void) => {
      schedule.start({ alone: tuning.takeControl === undefined })
      tuning.takeControl?.({
        tick: schedule.tick,
        reconcile: queue.reconcile,
        prune: () => tidying.prune(),
        retryPackages,
        drain: schedule.drain,
        endOpenResponses: () => stopping.abort(),
      })
      loading.start(recovered, onFirstLoad)
    },
    /**
     * Starts no more runs, neither scheduled nor by hand, and resolves when the runs in progress are over. Queued runs
     * wait for the next runtime, and so do slots that come due.
     */
    drain: schedule.drain,
    stop: async () => {
      await schedule.drain({ waitMs: 0 })
      await loading.stop()
    },
  }
}
