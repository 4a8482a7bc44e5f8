import { join } from 'node:path'
import { definePlugin } from '../../src/kernel/runtime.ts'
import { openSeal } from '../../src/storage/seal.ts'
import { clearTemporary } from '../isolation/temporary.ts'
import { killVolumeProcesses } from '../process/leftovers.ts'
import { checkVolume } from './check-volume.ts'
import type { Volume } from './contract.ts'
import { openRoom } from './room.ts'
import { volumeConfig } from './settings.ts'

/** An instance without work in progress hardly grows. */
const measureEveryMs = 15 * 60_000

/** What the program opens before any plugin is set up. */
export interface OpenedVolume {
  volume: Volume
  assetUrl: (name: string) => string
}

/**
 * The volume plugin. The program opens the volume before any plugin is set up, because their tables are in it;
 * `opened` is called after that.
 */
export const volumePlugin = (opened: () => OpenedVolume) =>
  definePlugin({
    name: 'volume',
    config: volumeConfig,
    setup: ({ config, log, clock, emit }) => {
      const { volume, assetUrl } = opened()
      const { instanceId, publicUrl, brand, secretKey: given, stopGraceMs } = config
      const { dir } = volume
      const origin = publicUrl?.origin ?? null
      const room = openRoom({
        ...{ dir, clock, log },
        limitBytes: config.diskBytes,
        onBeyond: words => emit('disk-overfilled', { words }),
      })
      return {
        service: {
          folders: volume,
          instanceId,
          place: { name: publicUrl?.hostname.split('.')[0] ?? instanceId, origin },
          brand,
          address: origin ?? 'http://localhost:8080',
          https: publicUrl?.protocol === 'https:',
          seal: openSeal({ given, earlier: config.secretKeysBefore, keyFile: join(dir, 'secret.key') }),
          stopGraceMs,
          room,
          measure: room.measure,
          assetUrl,
        },
        checks: {
          volume: () => checkVolume(volume, config.diskBytes),
          database: () => void volume.sqlite.prepare('select 1').get(),
        },
        tasks:
          config.diskBytes === null
            ? []
            : [{ name: 'measure-volume', everyMs: measureEveryMs, run: room.measure }],
        // Before any program of ours starts: it kills every process with the volume's mark.
        start: () => {
          const processes = killVolumeProcesses(dir)
          if (processes > 0)
            log.warn({ processes }, 'the runtime before did not stop in order; its processes are ended')
          void clearTemporary(dir)
        },
        stop: room.stop,
      }
    },
  })
