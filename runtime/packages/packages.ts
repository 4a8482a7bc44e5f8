import { join } from 'node:path'
import { adoptFolder } from './adoption.ts'
import { type AttemptsOptions, npmCache, openAttempts, useKept } from './attempts.ts'
import type { Packages } from './contract.ts'
import { openDownloadCache } from './download-cache.ts'
import { openCheckout } from './files/checkout.ts'
import { PackagesFault } from './files/fault.ts'
import { readWanted, type Wanted } from './files/wanted.ts'
import { openInstallations } from './installations.ts'
import { openTidying } from './tidying.ts'

/** The packages, and the end of installing them. */
export interface OpenPackages extends Packages {
  stop(): Promise<void>
}

export function openPackages(options: AttemptsOptions): OpenPackages {
  const { folders, clock, log, limits } = options
  const { jobsDir } = folders
  const installations = openInstallations(folders)
  const cache = openDownloadCache(join(folders.dir, npmCache), limits)
  const checkout = openCheckout(jobsDir, clock, () => installations.list().length > 0)
  const attempts = openAttempts({ ...options, installations, checkout, cache })
  let going: { wanted: Wanted; abort: AbortController; done: Promise<void> } | null = null
  const tidying = openTidying({
    ...{ installations, cache, clock, inUse: options.inUse },
    isInstalling: () => going !== null,
  })
  let stopped = false

  const missing = (): Wanted | null => {
    const wanted = readWanted(jobsDir)
    if (wanted && !wanted.there) return wanted
    if (!going) attempts.nothingMissing(wanted ? 'installed' : 'none')
    attempts.forget()
    return null
  }

  const start = (wanted: Wanted): Promise<void> => {
    const abort = new AbortController()
    tidying.downloaded()
    const done = attempts.run(wanted, abort.signal).finally(() => {
      going = null
    })
    going = { wanted, abort, done }
    return done
  }

  try {
    adoptFolder(jobsDir, installations, clock)
  } catch (error) {
    log.warn({ err: error }, 'the packages stay in the jobs repo')
  }

  return {
    state: () => ({ ...attempts.state(), kept: installations.list(), cacheBytes: cache.bytes(), limits }),
    missing: () => missing() !== null,
    ensure: async () => {
      for (let round = 0; round < 10; round++) {
        if (going) await going.done
        await tidying.idle()
        const wanted = missing()
        if (!wanted) return
        if (stopped) throw new Error('the instance is stopping')
        if (checkout.isFree() && useKept(wanted, installations)) {
          options.onInstalled()
          continue
        }
        const failure = attempts.blocked(wanted)
        if (failure) throw new PackagesFault(failure.error ?? 'npm failed.', failure.place ?? {})
        await start(wanted)
      }
      throw new Error('package.json changed again and again while its packages were installed')
    },
    checkFiles: folder => void readWanted(folder),
    cancelStale: () => {
      if (!going) return
      try {
        if (readWanted(jobsDir)?.key !== going.wanted.key) going.abort.abort()
      } catch {
        // Half written; the next look sees it whole.
      }
    },
    claimRetry: () => going === null && !stopped && attempts.claimRetry(),
    clearFailure: () => {
      attempts.forget()
      checkout.release()
    },
    prune: tidying.run,
    stop: async () => {
      stopped = true
      going?.abort.abort()
      await going?.done
      await tidying.idle()
    },
  }
}
