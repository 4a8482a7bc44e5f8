import { join } from 'node:path'
import type { Clock } from '../src/clock.ts'
import { limit } from '../src/concurrency.ts'
import { openTables } from '../src/database.ts'
import type { Logger } from '../src/log.ts'
import { openSeal } from '../src/seal.ts'
import type { Engine, Job, RepoStatus, Run } from './contract.ts'
import { startHeartbeat } from './heartbeat.ts'
import { clearTemporary } from './isolation/temporary.ts'
import { pruneBuilds } from './jobs/builds.ts'
import { watchChanges } from './jobs/change-watch.ts'
import { checkDraft } from './jobs/check.ts'
import { createEdits } from './jobs/edits.ts'
import { createJobList } from './jobs/job-list.ts'
import { findSlots, listSlots, recentSlots } from './jobs/ledger.ts'
import { openLiveSet } from './jobs/live-set.ts'
import { createLoader, type LoadLimits } from './jobs/loader.ts'
import { asWritten } from './jobs/log-line.ts'
import type { JobSpec } from './jobs/manifest.ts'
import { storedLog } from './jobs/open-log.ts'
import { programVersion } from './jobs/program-version.ts'
import { readManifest } from './jobs/read-manifest.ts'
import { endLeftovers } from './jobs/recovery.ts'
import type { Retention } from './jobs/retention.ts'
import { logFile, readLog } from './jobs/run-log.ts'
import { createRunQueue, type RunLimits } from './jobs/run-queue.ts'
import { activeRuns, asRun, findRun, listRuns, type RunRow, recentRuns } from './jobs/run-record.ts'
import { createRunsByHand } from './jobs/runs-by-hand.ts'
import { createScheduler } from './jobs/scheduler.ts'
import { createReaders } from './jobs/spare-reader.ts'
import { startUpkeep } from './jobs/upkeep.ts'
import { boxMemoryBytes, memoryOfRunsMb } from './memory.ts'
import type { NpmLimits } from './packages/npm.ts'
import { openPackages } from './packages/packages.ts'
import { jobsFolder, overloaded, unknownJob } from './problems.ts'
import { bootstrapJobs, jobsFolderFault, offerSdk } from './repo/bootstrap.ts'
import { openFiles } from './repo/files.ts'
import { listFolder } from './repo/folder-list.ts'
import { openHistory } from './repo/history.ts'
import { openRawFiles } from './repo/raw-files.ts'
import { openRepo } from './repo/repo.ts'
import * as schema from './schema.ts'
import { openSecrets } from './secrets/secrets.ts'
import { secretsTables } from './secrets/tables.ts'
import { openState } from './state/state.ts'
import { stateTables } from './state/tables.ts'
import { openRemote } from './sync/remote.ts'
import { knownOfRemote, withRemote } from './sync/remote-status.ts'
import { createSync } from './sync/sync.ts'
import { syncTables } from './sync/tables.ts'
import { checkVolume, type Volume } from './volume.ts'

export interface EngineOptions {
  volume: Volume
  log: Logger
  clock: Clock
  /** For jobs that name no zone of their own. */
  timezone?: string
  /** What secrets are sealed with; without it the volume gets a key file. */
  secretKey?: Buffer | null
  /** Handed to runs besides what they get anyway. */
  env?: Record<string, string>
  runs?: Partial<RunLimits>
  load?: Partial<LoadLimits>
  keep?: Partial<Retention>
  install?: Partial<NpmLimits>
  /** The longest that a request to the remote of the jobs repo may take. */
  syncLimitMs?: number
  /** False leaves the ticking to whoever calls `tick`. */
  heartbeat?: boolean
}

/** The engine with its run-once forms, for whoever moves the clock. */
export interface DrivenEngine extends Engine {
  /** Decides every slot that is due at `now`. */
  tick(now: number): void
  /** Records what could not be recorded when it happened. */
  settle(): void
  /** Forgets the history that is too much. */
  prune(): Promise<void>
  /** Installs packages again whose registry did not answer, when that is due. */
  retryPackages(): Promise<void>
}

/** So long before a slot is due, a runner is made ready for it: with one beat a second, half a second at the least. */
const runnerAheadMs = 1500

/**
 * Starts everything that an instance does by itself: the set of jobs that was live before runs on at once, and the
 * files are looked at in the background (`ready` says when that is done). Takes the volume over, and closes it.
 */
export async function createEngine(options: EngineOptions): Promise<DrivenEngine> {
  const { volume, log, clock, timezone = 'UTC', env = {} } = options
  const memoryMb = memoryOfRunsMb(boxMemoryBytes())
  const limits = {
    runs: { concurrent: 8, waiting: 1000, memoryMb, graceMs: 5000, ...options.runs },
    load: { readMs: 10_000, memoryMb, ...options.load },
    install: { limitMs: 10 * 60_000, memoryMb: 256, ...options.install },
    keep: { runsPerJob: 500, slotsPerJob: 2000, ageMs: 90 * 86_400_000, ...options.keep },
  }
  const db = openTables(volume.sqlite, 'jobs', { schema, migrations: 'runtime/migrations' })
  // Before any program of our own starts: it ends everything that bears the volume's mark.
  endLeftovers(db, volume.dir, clock.now(), log)
  void clearTemporary(volume.dir)
  const starterMark = join(volume.dir, '.starter')
  const isNew = bootstrapJobs(volume.jobsDir, starterMark)
  const repo = openRepo({
    dir: volume.jobsDir,
    starterMark,
    cacheDir: join(volume.dir, 'cache'),
    treeStamp: () => loader.tree()?.stamp ?? '',
  })
  const initRepo = () => repo.init().catch(error => log.error({ err: error }, 'git init failed'))
  // First of what takes long, because it takes longest; but the starter jobs are live without it.
  if (!isNew) void initRepo()
  offerSdk(volume.jobsDir, log)
  const seal = openSeal({ given: options.secretKey ?? null, keyFile: join(volume.dir, 'secret.key') })
  const secrets = openSecrets({ db: openTables(volume.sqlite, 'secrets', secretsTables), seal, clock })
  const state = openState({ db: openTables(volume.sqlite, 'state', stateTables), clock })

  const version = programVersion(timezone)
  const live = openLiveSet(db, version)
  const files = openFiles(volume)
  const rawFiles = openRawFiles(volume, files)
  const checking = limit(1, 8, () =>
    overloaded('Others are being checked. Try again in a few seconds.', { headers: { 'Retry-After': '5' } }),
  )
  const history = openHistory({ dir: volume.jobsDir, cacheDir: join(volume.dir, 'cache') })
  const queue = createRunQueue({ db, volume, secrets, state, clock, log, limits: limits.runs, env })
  // Those that waited their turn, and attempts whose time is still to come: the others were ended above.
  queue.add(activeRuns(db))
  const scheduler = createScheduler({ db, live, queue, clock, log })
  const packages = openPackages({
    volume,
    clock,
    log,
    limits: limits.install,
    onInstalled: () => offerSdk(volume.jobsDir, log),
  })
  const look = () => {
    packages.glance()
    return loader.load()
  }
  const { jobsDir, buildsDir } = volume
  const readers = createReaders({ jobsDir, buildsDir, memoryMb: limits.load.memoryMb })
  const changes = watchChanges(look, { clock, log, onScript: readers.expect })
  const loader = createLoader({
    volume,
    live,
    repo,
    packages,
    readers,
    clock,
    log,
    timezone,
    version,
    limits: limits.load,
    onTree: changes.cover,
    onLive: () => scheduler.refresh(clock.now()),
    onCommit: commit => sync.committed(commit),
    afterRound: () => {
      // An `npm install` by hand removes what no package.json asks for.
      offerSdk(volume.jobsDir, log)
      const needed = queue.builds().add(live.current()?.build ?? '')
      return pruneBuilds(buildsDir, needed.add(readers.folder() ?? '')).catch(error =>
        log.warn({ err: error }, 'old builds could not be removed'),
      )
    },
  })

  scheduler.refresh(clock.now())
  const alone = options.heartbeat !== false
  const heartbeat = startHeartbeat(
    now => {
      queue.wake()
      scheduler.tick(now)
      if ((scheduler.earliest() ?? Number.POSITIVE_INFINITY) - now <= runnerAheadMs) queue.expect()
    },
    { clock, log, alone },
  )
  const retryPackages = async (): Promise<void> => {
    if (packages.retryDue()) await loader.load({ again: true })
  }
  const upkeep = startUpkeep({
    db,
    runsDir: volume.runsDir,
    keep: limits.keep,
    live,
    state,
    queue,
    retryPackages,
    isLoading: () => loader.state().status === 'loading',
    clock,
    log,
  })
  const sync = createSync({
    dir: volume.jobsDir,
    cacheDir: join(volume.dir, 'cache'),
    scratchDir: join(volume.dir, 'sync'),
    store: openRemote(openTables(volume.sqlite, 'sync', syncTables), seal),
    clock,
    log,
    limitMs: options.syncLimitMs ?? 2 * 60_000,
    load: loader.load,
    exclusive: loader.exclusive,
    liveJobs: () => [...(live.current()?.jobs.keys() ?? [])],
    readJobs: async (jobsDir, buildsDir) => {
      const { readMs: limitMs, memoryMb } = limits.load
      const read = await readManifest({
        jobsDir,
        buildsDir,
        volumeDir: volume.dir,
        timezone,
        limitMs,
        memoryMb,
      })
      return 'errors' in read ? null : read.jobs.map(job => job.id)
    },
  })
  const firstLoad = sync.recover().then(() => loader.load())
  void firstLoad.then(() => sync.start())
  if (isNew) void firstLoad.then(initRepo)

  const jobs = createJobList({ db, live, secrets, next: scheduler.next, memoryMb: limits.runs.memoryMb })
  const repoStatus = async (): Promise<RepoStatus> => {
    const remote = sync.remote()
    return withRemote(await repo.status(knownOfRemote(remote)), remote)
  }
  const specOf = (jobId: string): JobSpec | undefined => live.current()?.jobs.get(jobId)
  const getRun = (id: string): Run | null => {
    const row = findRun(db, id)
    return row && asRun(row)
  }

  const byHand = createRunsByHand({ db, live, queue, clock, mostWaiting: limits.runs.waiting })
  /** As it is now: the queue may have started it already. */
  const started = (row: RunRow): Run => getRun(row.id) ?? asRun(row)
  const drain: Engine['drain'] = async limits => {
    heartbeat.stop()
    await queue.stop(limits)
  }
  const timedLog = (runId: string) => queue.log(runId)?.text() ?? readLog(logFile(volume.runsDir, runId))

  return {
    tick: heartbeat.beat,
    settle: () => queue.settle(),
    prune: () => upkeep.prune(),
    retryPackages,
    secrets,
    state,
    sync,
    job: jobs.one,
    getRun,
    manifest: () => loader.state(),
    jobs: jobs.all,
    findJobs: jobs.find,
    recentRuns: (jobIds, most) => recentRuns(db, jobIds, most),
    run: (jobId, given) => started(byHand.run(jobId, given)),
    replay: (runId, trigger) => {
      const row = findRun(db, runId)
      return row && started(byHand.replay(row, trigger))
    },
    waiting: () => queue.waiting(),
    setEnabled: (jobId, enabled) => {
      if (!specOf(jobId)) throw unknownJob(`There is no job called "${jobId}".`)
      live.setEnabled(jobId, enabled, clock.now())
      scheduler.refresh(clock.now())
      return jobs.one(jobId) as Job
    },
    runs: filter => listRuns(db, filter),
    cancel: async runId => {
      await queue.cancel(runId)
      return getRun(runId)
    },
    log: runId => asWritten(timedLog(runId)),
    timedLog,
    openLog: runId => queue.log(runId) ?? storedLog(() => timedLog(runId)),
    slots: (jobId, filter) => listSlots(db, jobId, filter),
    ledger: filter => findSlots(db, filter),
    recentSlots: (jobIds, filter) => recentSlots(db, jobIds, filter),
    repo: repoStatus,
    initRepo: async () => {
      const fault = jobsFolderFault(volume.jobsDir)
      if (fault) throw jobsFolder(`${fault}.`)
      bootstrapJobs(volume.jobsDir, starterMark)
      offerSdk(volume.jobsDir, log)
      await repo.init()
      await loader.load()
      return repoStatus()
    },
    reload: () => loader.load({ again: true }),
    confirm: () => loader.confirm(),
    files,
    rawFiles,
    folder: path => listFolder(volume.jobsDir, path, files),
    history,
    ...createEdits({ loader, repo, history, packages }),
    check: async (file, content) => {
      files.accept(file)
      const now = clock.now()
      return checking(() =>
        checkDraft({ file, content }, { volume, live, limits: limits.load, timezone, now }),
      )
    },
    packages: () => packages.state(),
    installPackages: async () => {
      packages.forgive()
      await loader.load({ again: true })
      return packages.state()
    },
    ready: () => loader.state().status !== 'loading',
    checks: new Map([
      ['volume', () => checkVolume(volume)],
      ['database', () => void volume.sqlite.prepare('select 1').get()],
      [
        'scheduler',
        () => {
          heartbeat.check()
          scheduler.check()
        },
      ],
    ]),
    drain,
    stopping: () => queue.isStopped(),
    stop: async () => {
      await drain({ waitMs: 0 })
      // Together: a look that waits for an installation ends when that is broken off.
      await Promise.all([changes.stop(), upkeep.stop(), packages.stop()])
      await firstLoad
      await sync.stop()
      await loader.idle()
      await readers.stop()
      await repo.stop()
      state.close()
      volume.close()
    },
  }
}
