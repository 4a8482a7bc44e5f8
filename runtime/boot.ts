import { join } from 'node:path'
import type { Clock } from '../src/clock.ts'
import { type Assets, loadAssets } from '../src/http/assets.ts'
import { closeServer, openServer } from '../src/http/listener/server.ts'
import type { Environment } from '../src/kernel/config.ts'
import { type PlannedProgram, planProgram } from '../src/kernel/plan.ts'
import type { Plugin, StopOptions } from '../src/kernel/plugin.ts'
import { type Assembly, migrationsOf } from '../src/kernel/program.ts'
import { createReleases, type Releases } from '../src/kernel/releases.ts'
import { assemble } from '../src/kernel/runtime.ts'
import type { Logger } from '../src/log.ts'
import { builtRoot } from '../src/root.ts'
import { refuseNewerDatabase } from '../src/storage/migrations.ts'
import type { Health } from './health/contract.ts'
import { openVolume, refuseOtherVolume } from './open-volume.ts'
import { killVolumeProcesses } from './process/leftovers.ts'
import type { Volume, VolumeSettings } from './volume/contract.ts'
import { type OpenedVolume, volumePlugin } from './volume/index.ts'
import { instanceApp } from './web/app.tsx'
import { createInstanceServer } from './web/server.ts'

/** A first load may install packages for minutes. */
const tasksWithinMs = 1000

/** The plugins that the program itself asks: who is signed in, whether it is stopping, what the instance is called. */
const needs = ['auth', 'jobs', 'volume'] as const

export interface BootOptions {
  /** The plugins, besides the volume's. */
  plugins: readonly Plugin[]
  env: Environment
  log: Logger
  clock: Clock
  /** True if a control plane started this process. */
  spawned: boolean
}

export interface Runtime {
  port: number
  /** Resolves when every plugin has started; rejects if one fails. */
  started: Promise<void>
  /**
   * Stops in this order: runs in progress end, log followers are disconnected, the port closes, then tasks and
   * plugins stop in reverse order and the volume closes. Takes at most the grace period, most of which is for the
   * runs. Without `patience` runs are interrupted at once.
   */
  stop(how?: StopOptions): Promise<void>
  /** The time limit of `stop`. */
  stopGraceMs: number
  /** Kills every other process of this volume, for a program that ends at once. */
  killRuns(): void
}

/**
 * Starts an instance. It listens first and starts its plugins after that; until then requests get the response
 * "starting". Throws a BootError with every fault of its settings, or if the volume or the port is not available.
 */
export async function boot(options: BootOptions): Promise<Runtime> {
  const assets = loadAssets(builtRoot('assets'))
  const instance = await setUp({ ...options, assets, env: named(options) })
  const { settings, volume, assembly, releases } = instance
  try {
    const { health } = instance
    const app = {
      fetch: (...request: Parameters<Instance['app']['fetch']>) => instance.app.fetch(...request),
    }
    const server = createInstanceServer(app, settings.instanceId, {
      ...(health && { health }),
      brand: settings.brand,
    })
    const port = await openServer(server, settings)
    let stopTasks = async () => {}
    releases.add(() => stopTasks())
    releases.add(() => closeServer(server))
    let stopping = false
    const started = instance.start()
    const startTasks = async () => {
      await started
      // A person waits for the first load, and for no task.
      const loaded = new AbortController()
      void health?.started().then(() => loaded.abort())
      await options.clock.sleep(tasksWithinMs, loaded.signal)
      if (!stopping) stopTasks = assembly.startTasks()
    }
    startTasks().catch(() => {})
    return {
      port,
      started,
      stopGraceMs: settings.stopGraceMs,
      killRuns: () => void killVolumeProcesses(volume.dir),
      stop: async (how = { patience: true }) => {
        stopping = true
        await started.catch(() => {})
        await assembly.drain(how)
        await releases.release()
      },
    }
  } catch (error) {
    await releases.release()
    throw error
  }
}

/** An instance whose plugins are set up but not started. */
export interface Instance {
  settings: VolumeSettings
  volume: Volume
  /** Made when it is first asked for: polls for health are answered without it. */
  readonly app: ReturnType<typeof instanceApp>
  /** Whether it can do its work, as anyone may know. */
  health?: Health
  assembly: Assembly
  /** Starts the plugins. */
  start(): Promise<void>
  /** Releases what was opened, the volume last. */
  releases: Releases
}

/** Sets up the plugins on the instance's volume. An open `volume` is used as it is. */
export async function setUp(
  options: Omit<BootOptions, 'spawned'> & { assets: Assets; volume?: Volume },
): Promise<Instance> {
  const { log, clock, assets } = options
  let opened: OpenedVolume | null = null
  const plan = planRuntime(options, () => {
    if (!opened) throw new Error('the volume is not open yet')
    return opened
  })
  const settings = plan.configs.get('volume') as VolumeSettings
  const { dataDir, volumeId, instanceId, publicUrl, trustedProxies } = settings
  if (volumeId !== null) await refuseOtherVolume(dataDir, volumeId)
  refuseNewerDatabase(join(dataDir, 'longhouse.db'), migrationsOf(plan.order), 'LONGHOUSE_DATA_DIR')
  const volume = options.volume ?? openVolume(dataDir)
  const releases = createReleases(log)
  releases.add(() => volume.close())
  try {
    opened = { volume, assetUrl: assets.url }
    const assembly = await assemble({
      ...plan,
      sqlite: volume.sqlite,
      log,
      clock,
      releases,
      asks: { 'around-route': 'any' },
      checks: {},
      taskFaults: 'logged',
    })
    let hasStarted = false
    const { auth, jobs, volume: ofVolume } = assembly.services
    const { health } = assembly.offered
    const around = assembly.answers('around-route')
    const makeApp = () =>
      instanceApp({
        instanceId,
        publicUrl,
        trustedProxies,
        log,
        assets,
        place: ofVolume.place.name,
        brand: ofVolume.brand,
        routes: assembly.routes,
        around: around.map(({ answer }) => answer),
        hasStarted: () => hasStarted,
        isAuthenticated: auth.isAuthenticated,
        isStopping: () => jobs.phase() === 'stopping',
      })
    await auth.passwordReady
    const start = async () => {
      await assembly.start()
      hasStarted = true
    }
    let app: Instance['app'] | null = null
    return {
      settings,
      volume,
      get app() {
        app ??= makeApp()
        return app
      },
      ...(health && { health }),
      assembly,
      start,
      releases,
    }
  } catch (error) {
    await releases.release()
    throw error
  }
}

/** Sorts the plugins and parses their settings. Throws a BootError with every fault. */
export function planRuntime(
  { plugins, env, log }: Pick<BootOptions, 'plugins' | 'env' | 'log'>,
  opened: () => OpenedVolume,
): PlannedProgram<(typeof needs)[number]> {
  return planProgram([volumePlugin(opened), ...plugins], {
    env,
    log,
    needs,
    // An older image may get settings that only a newer one knows.
    lenient: true,
    knownBesides: ['LOG_LEVEL', 'NODE_ENV'],
  })
}

/**
 * A runtime started by hand needs no instance id; a control plane must set one, because it checks which instance
 * responds.
 */
export function named({ env, spawned }: Pick<BootOptions, 'env' | 'spawned'>): Environment {
  const byHand = !spawned && env.NODE_ENV !== 'production'
  return byHand && !env.LONGHOUSE_INSTANCE_ID ? { ...env, LONGHOUSE_INSTANCE_ID: 'inst_local' } : env
}
