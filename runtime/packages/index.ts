import { definePlugin } from '../../src/kernel/runtime.ts'
import '../volume/contract.ts'
import './contract.ts'
import type { NpmLimits } from './npm.ts'
import { openPackages } from './packages.ts'

/** The packages plugin; tests set other limits for npm. */
export const packagesWith = (limits: Partial<NpmLimits>) =>
  definePlugin({
    name: 'packages',
    needs: ['volume'],
    asks: { 'after-installation': 'any' },
    setup: ({ log, clock, services: { volume }, hooks }) => {
      const packages = openPackages({
        folders: volume.folders,
        clock,
        log,
        limits: { limitMs: 10 * 60_000, memoryMb: 256, ...limits },
        onInstalled: () => {
          for (const { answer } of hooks.all('after-installation')) answer()
        },
      })
      return {
        service: packages,
        // While the program still listens: a request or a load may be waiting for the installation.
        drain: () => packages.stop(),
        stop: () => packages.stop(),
      }
    },
  })

/** The npm packages that the jobs repo asks for. */
export const packages = packagesWith({})
