import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Hono } from 'hono'
import { type Clock, systemClock } from '../src/clock.ts'
import type { AppEnv } from '../src/http/route.ts'
import type { Plugin } from '../src/kernel/plugin.ts'
import { definePlugin, type Services } from '../src/kernel/runtime.ts'
import { type Logger, silentLog } from '../src/log.ts'
import { eventually } from '../src/testing/eventually.ts'
import { setUp } from './boot.ts'
import type { Patience } from './files/files-web.ts'
import { filesWith } from './files/index.ts'
import type { Run } from './jobs/contract.ts'
import { jobsWith } from './jobs/index.ts'
import type { JobsControls, JobsTuning } from './jobs/tuning.ts'
import { noticesWith } from './notices/index.ts'
import type { Notices } from './notices/notices.ts'
import { openVolume } from './open-volume.ts'
import type { PackagesLimits } from './packages/attempts.ts'
import { packagesWith } from './packages/index.ts'
import { plugins } from './program.ts'
import type { SecretUser } from './secrets/secrets.ts'
import { syncWith } from './sync/index.ts'
import type { Volume } from './volume/contract.ts'

export interface EngineOptions extends Omit<JobsTuning, 'takeControl' | 'env'> {
  /** Is taken over, and closed. */
  volume: Volume
  log: Logger
  clock: Clock
  timezone?: string
  /** Handed to runs besides what they get anyway. */
  env?: Record<string, string>
  install?: Partial<PackagesLimits>
  /** The longest that a request to the remote of the jobs repo may take. */
  syncLimitMs?: number
  /** False leaves the ticking to the test, by `tick`. */
  heartbeat?: boolean
  /** Settings of the instance, besides those that every test needs. */
  settings?: Record<string, string>
  patience?: Partial<Patience>
  /** Stands for a program whose plugins have not started. */
  unstarted?: boolean
  /** Plugins after those of the program's list. */
  extraPlugins?: readonly Plugin[]
}

/** A hash of the password `correct horse battery`, at the least cost there is: no boot makes one, and a guess takes no time. */
const passwordHash =
  '$argon2id$v=19$m=8,t=1,p=1$bG9uZ2hvdXNlLXRlc3RzIQ$LDxCmqsLvkTnLVVhcFnzmO/tWW1ZNDsYrkmaZy2toSg'

/** The plugins whose services tests ask. */
const drivenPlugins = ['jobs', 'packages', 'repo', 'secrets', 'state', 'sync'] as const
type Driven = Pick<Services, (typeof drivenPlugins)[number]>

function settingsOf({ volume, timezone = 'UTC', settings }: EngineOptions): Record<string, string> {
  return {
    LONGHOUSE_DATA_DIR: volume.dir,
    LONGHOUSE_INSTANCE_ID: 'inst_test',
    LONGHOUSE_PASSWORD: passwordHash,
    LONGHOUSE_TIMEZONE: timezone,
    ...settings,
  }
}

/** A plugin that hands what it needs to the test. */
function createDriver() {
  let driven: Driven | null = null
  const plugin = definePlugin({
    name: 'test-driver',
    needs: drivenPlugins,
    setup: ({ services }) => {
      driven = services
      return {}
    },
  })
  const services = (): Driven => {
    if (!driven) throw new Error('the plugins are not set up')
    return driven
  }
  return { plugin, services }
}

/** The instance as tests control it: what its plugins offer, in one object. */
export async function createEngine(options: EngineOptions) {
  const { volume, log, clock, env, install, syncLimitMs, patience } = options
  const { runs: runLimits, load, keep } = options
  let controls: JobsControls | null = null
  const control = (): JobsControls => {
    if (!controls) throw new Error('the schedule runs by itself, or has not started')
    return controls
  }
  let notices: Notices | null = null
  const tuning: JobsTuning = {
    ...(runLimits && { runs: runLimits }),
    ...(load && { load }),
    ...(keep && { keep }),
    ...(env && { env }),
    ...(options.heartbeat === false && {
      takeControl: (given: JobsControls) => {
        controls = given
      },
    }),
  }
  const tuned = new Map(
    [
      jobsWith(tuning),
      packagesWith(install ?? {}),
      syncWith({ limitMs: syncLimitMs }),
      filesWith(patience ?? {}),
      noticesWith(opened => {
        notices = opened
      }),
    ].map(plugin => [plugin.name, plugin]),
  )
  const driver = createDriver()
  const instance = await setUp({
    plugins: [
      ...plugins.map(plugin => tuned.get(plugin.name) ?? plugin),
      driver.plugin,
      ...(options.extraPlugins ?? []),
    ],
    env: settingsOf(options),
    log,
    clock,
    volume,
    assets: { url: name => `/assets/${name}`, mount: () => {} },
  })
  if (!options.unstarted) await instance.start()
  const { assembly, app, releases } = instance
  const { jobs, packages, repo, secrets, state, sync } = driver.services()
  const { manifest, list, runs, logs, slots, edits } = jobs

  return {
    app: app as Hono<AppEnv>,
    notices: notices as unknown as Notices,
    tick: (now: number) => control().tick(now),
    reconcile: () => control().reconcile(),
    prune: () => control().prune(),
    retryPackages: () => control().retryPackages(),
    drain: (limits: Parameters<JobsControls['drain']>[0]) => control().drain(limits),
    endOpenResponses: () => control().endOpenResponses(),
    secrets: {
      ...secrets,
      list: (users: Iterable<SecretUser>) => secrets.list(users),
    },
    state,
    sync,
    manifest: manifest.state,
    ready: manifest.ready,
    reload: manifest.reload,
    confirm: manifest.confirm,
    jobs: list.all,
    job: list.one,
    setEnabled: list.setEnabled,
    run: runs.start,
    replay: runs.replay,
    waiting: runs.waiting,
    runs: runs.list,
    getRun: runs.find,
    cancel: runs.cancel,
    log: logs.text,
    timedLog: logs.timed,
    openLog: logs.open,
    slots: slots.list,
    recentSlots: slots.recent,
    ledger: slots.ledger,
    repo: repo.status,
    initRepo: async () => {
      await repo.init()
      await manifest.load()
      return repo.status()
    },
    files: repo.files,
    rawFiles: repo.rawFiles,
    history: repo.history,
    ...edits,
    packages: packages.state,
    installPackages: async () => {
      packages.clearFailure()
      await manifest.reload()
      return packages.state()
    },
    /** What follows the logs of runs. */
    followed: { logs, runs },
    checks: assembly.checks,
    stopping: () => jobs.phase() === 'stopping',
    stop: async () => {
      await assembly.drain({ patience: false })
      await releases.release()
    },
  }
}

export type DrivenEngine = Awaited<ReturnType<typeof createEngine>>

/** An engine on a volume of its own, and what tests do with it. */
export interface TestInstance {
  engine: DrivenEngine
  dir: string
  /** A file of the jobs repo. */
  path(file: string): string
  write(file: string, content: string): void
  /** Runs a job and waits for its end. */
  run(jobId: string, params?: Record<string, unknown>): Promise<Run>
  ended(runId: string): Promise<Run>
  /** Stops the engine and starts another one on the same volume. */
  restart(options?: Partial<EngineOptions>): Promise<void>
}

export const registry = "import { jobRegistry } from 'longhouse/jobs'\n"

/** A manifest with one job whose function is the given source. */
export function oneJob(func: string, options = ''): string {
  return `${registry}jobRegistry.register({ id: 'job', cron: '0 8 * * *', func: ${func}, ${options} })\n`
}

/** Without `files`, the instance starts with the template; with them, with a jobs repo that holds just those. */
export async function startInstance(
  t: TestContext,
  {
    files,
    place = tmpdir(),
    ...options
  }: { files?: Record<string, string | Buffer>; place?: string } & Partial<EngineOptions> = {},
): Promise<TestInstance> {
  const dir = mkdtempSync(join(place, 'longhouse-engine-'))
  const path = (file: string) => join(dir, 'jobs', file)
  const write = (file: string, content: string | Buffer) => {
    mkdirSync(dirname(path(file)), { recursive: true })
    writeFileSync(path(file), content)
  }
  for (const [file, content] of Object.entries(files ?? {})) write(file, content)

  const start = async (more: Partial<EngineOptions> = {}) => {
    const volume = openVolume(dir)
    const defaults = { volume, clock: systemClock, log: silentLog, heartbeat: false }
    const { runs, load, ...others } = { ...options, ...more }
    const engine = await createEngine({
      ...defaults,
      runs: { graceMs: 300, ...runs },
      load: { readMs: 30_000, ...load },
      ...others,
    })
    if (others.unstarted) return engine
    await until(() => engine.ready(), 'the first load ends')
    const settled = () => engine.manifest().status === 'error' || engine.manifest().commit
    await until(settled, 'the first set is committed')
    return engine
  }
  const instance: TestInstance = {
    engine: await start(),
    dir,
    path,
    write,
    run: (jobId, params) => {
      const run = instance.engine.run(jobId, { trigger: 'manual', ...(params ? { params } : {}) })
      return instance.ended(run.id)
    },
    ended: runId =>
      until(() => {
        const run = instance.engine.getRun(runId)
        return run?.finishedAt ? run : null
      }, `run ${runId} ends`),
    restart: async more => {
      await instance.engine.stop()
      instance.engine = await start(more)
    },
  }
  t.after(async () => {
    await instance.engine.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  return instance
}

/** `eventually`, with the patience that loads and runs need on a machine that has other things to do. */
export function until<T>(condition: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
  return eventually(what, condition as () => NonNullable<T> | Promise<NonNullable<T>>)
}

export interface StandingClock extends Clock {
  /** The time on the wall. Setting it to a later time lets the time between pass; to an earlier one, sets the clock back. */
  at: number
  /** Sets the wall clock by so much, forwards or back, while no time passes. */
  step(ms: number): void
}

/** A clock that stands where it was put; sleeping by it takes as long as it takes. */
export function standingClock(start: number): StandingClock {
  let wall = start
  let passed = 0
  return {
    get at() {
      return wall
    },
    set at(time) {
      passed += Math.max(0, time - wall)
      wall = time
    },
    now: () => wall,
    monotonic: () => passed,
    sleep: systemClock.sleep,
    step: ms => {
      wall += ms
    },
  }
}

/** What a process was started as; '' when it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** False for a process that has ended, even if its exit code has not been collected yet. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
