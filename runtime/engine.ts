import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CronJob, Task as Heartbeat, ToadScheduler } from 'toad-scheduler'
import type { Clock } from '../src/clock.ts'
import { openTables } from '../src/database.ts'
import type { Logger } from '../src/log.ts'
import { programRoot } from '../src/root.ts'
import { startTask, type Task } from '../src/tasks.ts'
import { version } from '../src/version.ts'
import type { Engine, Job, RepoStatus, Run } from './contract.ts'
import { pruneBuilds } from './jobs/builds.ts'
import { watchChanges } from './jobs/change-watch.ts'
import { checkDraft } from './jobs/check.ts'
import { policyOf } from './jobs/follow-up.ts'
import { findSlots, listSlots, recentSlots } from './jobs/ledger.ts'
import { openLiveSet } from './jobs/live-set.ts'
import { createLoader, type LoadLimits } from './jobs/loader.ts'
import { type JobSpec, jobSpecVersion } from './jobs/manifest.ts'
import { readManifest } from './jobs/read-manifest.ts'
import { endLeftovers } from './jobs/recovery.ts'
import { pruneHistory, type Retention } from './jobs/retention.ts'
import { logFile, readLog } from './jobs/run-log.ts'
import { createRunQueue, type RunLimits } from './jobs/run-queue.ts'
import { activeRuns, asRun, findRun, insertRun, lastRuns, listRuns, recentRuns } from './jobs/run-record.ts'
import { createScheduler } from './jobs/scheduler.ts'
import type { NpmLimits } from './packages/npm.ts'
import { openPackages } from './packages/packages.ts'
import { jobsFolder, repoObstacle, tooManyRuns, unknownCommit, unknownJob } from './problems.ts'
import { bootstrapJobs, installSdk, jobsFolderFault } from './repo/bootstrap.ts'
import { openFiles } from './repo/files.ts'
import { openHistory } from './repo/history.ts'
import { openRepo } from './repo/repo.ts'
import * as schema from './schema.ts'
import { openSeal } from './secrets/seal.ts'
import { openSecrets } from './secrets/secrets.ts'
import { secretsTables } from './secrets/tables.ts'
import { openRemote } from './sync/remote.ts'
import { createSync, withRemote } from './sync/sync.ts'
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
}

/**
 * Starts everything that an instance does by itself: the set of jobs that was live before runs on at once, and the
 * files are looked at in the background (`ready` says when that is done). Takes the volume over, and closes it.
 */
export async function createEngine(options: EngineOptions): Promise<DrivenEngine> {
  const { volume, log, clock, timezone = 'UTC' } = options
  const limits = {
    runs: { concurrent: 8, waiting: 1000, memoryMb: 256, graceMs: 5000, ...options.runs },
    load: { readMs: 10_000, memoryMb: 256, ...options.load },
    install: { limitMs: 10 * 60_000, memoryMb: 256, ...options.install },
    keep: { runsPerJob: 500, slotsPerJob: 2000, ...options.keep },
  }
  const db = openTables(volume.sqlite, 'jobs', { schema, migrations: 'runtime/migrations' })
  // Before any program of our own starts: it ends everything that bears the volume's mark.
  endLeftovers(db, volume.dir, clock.now(), log)
  bootstrapJobs(volume.jobsDir)
  const repo = openRepo({
    dir: volume.jobsDir,
    cacheDir: join(volume.dir, 'cache'),
    treeStamp: () => loader.tree()?.stamp ?? '',
  })
  // First of what takes long, because it takes longest.
  if (!repo.initialized()) repo.init().catch(error => log.error({ err: error }, 'git init failed'))
  offerSdk(volume, log)
  const seal = openSeal({ given: options.secretKey ?? null, keyFile: join(volume.dir, 'secret.key') })
  const secrets = openSecrets({ db: openTables(volume.sqlite, 'secrets', secretsTables), seal, clock })

  const live = openLiveSet(db)
  const files = openFiles(volume)
  const history = openHistory({ dir: volume.jobsDir, cacheDir: join(volume.dir, 'cache') })
  const queue = createRunQueue({ db, volume, clock, log, limits: limits.runs, env: options.env ?? {} })
  // What is left after the leftovers were ended are attempts whose time is still to come.
  queue.add(activeRuns(db))
  const scheduler = createScheduler({ db, live, queue, log })
  const packages = openPackages({
    volume,
    clock,
    log,
    limits: limits.install,
    onInstalled: () => offerSdk(volume, log),
  })
  const look = () => {
    packages.glance()
    return loader.load()
  }
  const changes = watchChanges(look, { clock, log })
  const loader = createLoader({
    volume,
    live,
    repo,
    packages,
    clock,
    log,
    timezone,
    version: programVersion(timezone),
    limits: limits.load,
    onTree: changes.cover,
    onLive: () => scheduler.refresh(clock.now()),
    onCommit: commit => sync.committed(commit),
    afterRound: () => {
      // An `npm install` by hand removes what no package.json asks for.
      offerSdk(volume, log)
      return pruneBuilds(volume.buildsDir, queue.builds().add(live.current()?.build ?? '')).catch(error =>
        log.warn({ err: error }, 'old builds could not be removed'),
      )
    },
  })

  let lastTick = clock.now()
  const tick = (now: number) => {
    lastTick = now
    queue.wake()
    scheduler.tick(now)
  }
  const prune = async () => {
    await pruneHistory(db, volume.runsDir, limits.keep)
  }
  scheduler.refresh(clock.now())
  const heartbeat = options.heartbeat === false ? null : startHeartbeat(() => tick(clock.now()), log)
  const tasks = [
    { name: 'prune-history', everyMs: 5 * 60_000, run: prune },
    { name: 'settle-runs', everyMs: 5000, run: async () => queue.settle() },
  ].map((task: Task) => startTask(task, { clock, log }))
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
      const read = await readManifest({ jobsDir, buildsDir, timezone, limitMs, memoryMb })
      return 'errors' in read ? null : read.jobs.map(job => job.id)
    },
  })
  const firstLoad = sync.recover().then(() => loader.load())
  void firstLoad.then(() => sync.start())

  const jobOf = (spec: JobSpec, lastRun: Run | null): Job => {
    const { id, cron, timezone, description, source } = spec
    const { enabled } = live.schedule(id)
    return {
      id,
      cron,
      timezone,
      description,
      source,
      enabled,
      nextRunAt: enabled ? scheduler.next(id) : null,
      lastRun,
    }
  }
  const repoStatus = async (): Promise<RepoStatus> => withRemote(await repo.status(), sync.remote())
  const specOf = (jobId: string): JobSpec | undefined => live.current()?.jobs.get(jobId)
  const specs = (): Iterable<JobSpec> => live.current()?.jobs.values() ?? []
  const withLastRuns = (found: readonly JobSpec[]): Job[] => {
    const last = lastRuns(
      db,
      found.map(spec => spec.id),
    )
    return found.map(spec => jobOf(spec, last.get(spec.id) ?? null))
  }
  const job = (id: string): Job | null => {
    const spec = specOf(id)
    return spec ? jobOf(spec, listRuns(db, { jobId: id, limit: 1, offset: 0 }).runs[0] ?? null) : null
  }
  const getRun = (id: string): Run | null => {
    const row = findRun(db, id)
    return row && asRun(row)
  }

  return {
    tick,
    settle: () => queue.settle(),
    prune,
    secrets,
    sync,
    job,
    getRun,
    manifest: () => loader.state(),
    jobs: () => withLastRuns([...specs()]),
    findJobs: ({ search = '', limit, offset }) => {
      const found = [...specs()].filter(spec => mentions(spec, search))
      return { jobs: withLastRuns(found.slice(offset, offset + limit)), total: found.length }
    },
    recentRuns: (jobIds, most) => recentRuns(db, jobIds, most),
    run: (jobId, { trigger, params = {} }) => {
      const set = live.current()
      const spec = specOf(jobId)
      if (!set || !spec) throw unknownJob(`There is no job called "${jobId}".`)
      if (queue.isFull()) {
        throw tooManyRuns(`${limits.runs.waiting} runs are waiting already. Cancel some, or wait.`)
      }
      const { build, commit } = set
      const run = { jobId, trigger, slot: null, params, build, commit, timeoutMs: spec.timeout }
      const row = insertRun(db, { ...run, policy: policyOf(spec) }, clock.now())
      queue.add([row])
      return getRun(row.id) ?? asRun(row)
    },
    setEnabled: (jobId, enabled) => {
      if (!specOf(jobId)) throw unknownJob(`There is no job called "${jobId}".`)
      live.setEnabled(jobId, enabled, clock.now())
      scheduler.refresh(clock.now())
      return job(jobId) as Job
    },
    runs: filter => listRuns(db, filter),
    cancel: async runId => {
      await queue.cancel(runId)
      return getRun(runId)
    },
    log: runId => queue.log(runId)?.text() ?? readLog(logFile(volume.runsDir, runId)),
    followLog: (runId, onText) => {
      const active = queue.log(runId)
      if (active) return active.follow(onText)
      const timer = setImmediate(() => onText(null))
      return () => clearImmediate(timer)
    },
    slots: (jobId, filter) => listSlots(db, jobId, filter),
    ledger: filter => findSlots(db, filter),
    recentSlots: (jobIds, filter) => recentSlots(db, jobIds, filter),
    repo: repoStatus,
    initRepo: async () => {
      const fault = jobsFolderFault(volume.jobsDir)
      if (fault) throw jobsFolder(`${fault}.`)
      bootstrapJobs(volume.jobsDir)
      offerSdk(volume, log)
      await repo.init()
      await loader.load()
      return repoStatus()
    },
    reload: () => loader.load({ again: true }),
    confirm: () => loader.confirm(),
    files,
    history,
    revert: async commit => {
      const found = await history.show(commit)
      if (!found) throw unknownCommit(`The jobs repo has no commit ${commit}.`)
      const name = commit.slice(0, 7)
      await loader.exclusive(async () => {
        const obstacle = await repo.stage()
        if (obstacle) throw repoObstacle(`Nothing was changed: ${obstacle}.`)
        await repo.commit({ subject: `What was not live before the return to ${name}` })
        loader.say(`Return to ${name}: ${found.message.split('\n')[0]}`)
        await history.restore(commit)
      })
      return loader.load({ again: true })
    },
    edit: async (message, change) => {
      loader.say(message)
      try {
        change()
      } catch (error) {
        loader.say('')
        throw error
      }
      packages.glance()
      const state = await loader.load({ again: true })
      if (state.status === 'ok') loader.say('')
      return state
    },
    check: async (file, content) => {
      files.accept(file)
      const now = clock.now()
      return checkDraft({ file, content }, { volume, live, limits: limits.load, timezone, now })
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
      ['scheduler', () => checkTick(heartbeat && lastTick, clock.now())],
    ]),
    stop: async () => {
      heartbeat?.stop()
      await Promise.all([changes.stop(), ...tasks.map(task => task.stop())])
      await packages.stop()
      await queue.stop()
      await firstLoad
      await sync.stop()
      await loader.idle()
      await repo.stop()
      volume.close()
    },
  }
}

function mentions({ id, description }: JobSpec, search: string): boolean {
  const text = `${id} ${description}`.toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word))
}

/** Every slot lies on a whole second, so that one tick a second serves every job; a slow run shifts none. */
function startHeartbeat(beat: () => void, log: Logger): ToadScheduler {
  const scheduler = new ToadScheduler()
  const task = new Heartbeat('tick', beat, error => log.error({ err: error }, 'tick failed'))
  scheduler.addCronJob(new CronJob({ cronExpression: '* * * * * *' }, task))
  return scheduler
}

function checkTick(lastTick: number | null, now: number): void {
  if (lastTick !== null && Math.abs(now - lastTick) > 15_000) {
    throw new Error(`the schedule has not been looked at for ${Math.round((now - lastTick) / 1000)} seconds`)
  }
}

/** What a load depends on besides the files. */
function programVersion(timezone: string): string {
  const sdk = createHash('sha256')
    .update(readFileSync(programRoot('runtime/sdk/jobs.js')))
    .digest('hex')
  return [version, sdk.slice(0, 12), jobSpecVersion(), timezone].join(' ')
}

function offerSdk(volume: Volume, log: Logger): void {
  try {
    installSdk(volume.jobsDir)
  } catch (error) {
    log.warn({ err: error }, 'the types of longhouse/jobs could not be put into the jobs repo')
  }
}
