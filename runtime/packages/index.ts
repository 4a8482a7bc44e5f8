import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/runtime.ts'
import '../sdk/contract.ts'
import '../secrets/contract.ts'
import '../volume/contract.ts'
import './contract.ts'
import type { PackagesLimits } from './attempts.ts'
import { openPackages } from './packages.ts'

/** The packages plugin; tests set other limits for npm. */
export const packagesWith = (limits: Partial<PackagesLimits>) =>
  definePlugin({
    name: 'packages',
    needs: ['sdk', 'secrets', 'volume'],
    config: z.object({
      /** How much of the disk one installation of packages may take. */
      LONGHOUSE_PACKAGES_LIMIT: setting.size('1m', '100g').prefault('2g'),
    }),
    asks: { 'after-installation': 'any', 'packages-in-use': 'optional' },
    setup: ({ config, log, clock, services: { sdk, secrets, volume }, hooks }) => {
      const packages = openPackages({
        folders: volume.folders,
        room: volume.room,
        sdk,
        secrets,
        clock,
        log,
        limits: {
          limitMs: 10 * 60_000,
          memoryMb: 256,
          bytes: config.LONGHOUSE_PACKAGES_LIMIT,
          kept: 4,
          cacheBytes: Math.floor((limits.bytes ?? config.LONGHOUSE_PACKAGES_LIMIT) / 4),
          cacheMs: 30 * 24 * 60 * 60_000,
          ...limits,
        },
        inUse: () => new Set(hooks.optional('packages-in-use')?.() ?? []),
        onInstalled: () => {
          for (const { answer } of hooks.all('after-installation')) answer()
        },
      })
      return {
        service: packages,
        tasks: [{ name: 'remove-old-packages', everyMs: 60_000, run: packages.prune }],
        // While the program still listens: a request or a load may be waiting for the installation.
        drain: () => packages.stop(),
        stop: () => packages.stop(),
      }
    },
  })

/** The npm packages that the jobs repo asks for. */
export const packages = packagesWith({})
