import { join } from 'node:path'
import type { Clock } from '../src/clock.ts'
import { loadAssets } from '../src/http/assets.ts'
import { closeServer, openServer } from '../src/http/server.ts'
import type { Environment } from '../src/kernel/config.ts'
import type { Logger } from '../src/log.ts'
import { refuseNewerDatabase } from '../src/migrations.ts'
import { builtRoot } from '../src/root.ts'
import { openSeal } from '../src/seal.ts'
import { version } from '../src/version.ts'
import type { Engine } from './contract.ts'
import { createEngine } from './engine.ts'
import { killVolumeProcesses } from './jobs/recovery.ts'
import { openNotices } from './notices/notices.ts'
import { readSettings, strangeVariables } from './settings.ts'
import { migrationFolders } from './tables.ts'
import { openVolume, refuseOtherVolume } from './volume.ts'
import { createWeb } from './web/app.tsx'
import { createInstanceServer } from './web/server.ts'

export interface RuntimeOptions {
  env: Environment
  log: Logger
  clock: Clock
  /** True when a control plane started this process, and not a person. */
  spawned: boolean
}

export interface Runtime {
  port: number
  /** Resolves when the first load of the manifest may be asked for; rejects when the engine cannot start. */
  started: Promise<Engine>
  /**
   * Lets runs in progress end, then answers, and closes the volume: within the grace period, of which most is for the
   * runs. Without `patience` runs are interrupted at once.
   */
  stop(options?: { patience: boolean }): Promise<void>
  /** How long `stop` may take. */
  stopGraceMs: number
  /** Kills whatever runs here besides this process, for one that ends at once. */
  killRuns(): void
}

/**
 * Starts an instance. It listens first and gets its engine after that: whoever asks meanwhile is told that it is
 * starting. Throws a BootError with every fault of its settings, or because the volume or port is not to be had.
 */
export async function startRuntime({ env, log, clock, spawned }: RuntimeOptions): Promise<Runtime> {
  const settings = readSettings(env, { spawned })
  if (settings.volumeId !== null) await refuseOtherVolume(settings.dataDir, settings.volumeId)
  for (const words of strangeVariables(env)) log.warn(words)
  refuseNewerDatabase(join(settings.dataDir, 'longhouse.db'), migrationFolders, 'LONGHOUSE_DATA_DIR')
  const volume = openVolume(settings.dataDir)
  const stopping = new AbortController()
  let engine: Engine | null = null

  try {
    const { publicUrl, secretKey, mail } = settings
    const place = {
      name: publicUrl?.hostname.split('.')[0] ?? settings.instanceId,
      origin: publicUrl?.origin ?? null,
    }
    const seal = openSeal({ given: secretKey, keyFile: join(volume.dir, 'secret.key') })
    const notices = openNotices({ sqlite: volume.sqlite, seal, clock, log, place, mail })
    let stopNotices = async () => {}
    const app = await createWeb({
      settings,
      version,
      log,
      clock,
      assets: loadAssets(builtRoot('assets')),
      sqlite: volume.sqlite,
      notices,
      repoFolder: volume.jobsDir,
      engine: () => engine,
      stopping: stopping.signal,
    })
    const server = createInstanceServer(app, settings.instanceId)
    const port = await openServer(server, settings)

    const started = createEngine({
      volume,
      log,
      clock,
      timezone: settings.timezone,
      secretKey,
      keep: settings.keep,
    }).then(made => {
      engine = made
      stopNotices = notices.start(made)
      return made
    })
    return {
      port,
      started,
      stopGraceMs: settings.stopGraceMs,
      killRuns: () => void killVolumeProcesses(volume.dir),
      stop: async ({ patience } = { patience: true }) => {
        const ending = await started.catch(() => null)
        const { waitMs, tidyMs } = sharesOf(settings.stopGraceMs)
        await ending?.drain({ waitMs: patience ? waitMs : 0, tidyMs })
        stopping.abort()
        await closeServer(server)
        await stopNotices()
        if (ending) await ending.stop()
        else volume.close()
      },
    }
  } catch (error) {
    volume.close()
    throw error
  }
}

/** Of the grace period, what runs get to end by themselves, and to tidy up after that; the rest is for closing. */
function sharesOf(graceMs: number): { waitMs: number; tidyMs: number } {
  const tidyMs = Math.min(5000, graceMs / 4)
  const closingMs = Math.min(5000, graceMs / 4)
  return { waitMs: graceMs - tidyMs - closingMs, tidyMs }
}
