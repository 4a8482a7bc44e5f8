import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { maskSecrets } from '../../src/masking/mask.ts'
import type { SdkService } from '../sdk/contract.ts'
import type { SecretsService } from '../secrets/contract.ts'
import type { Folders, Room } from '../volume/contract.ts'
import { adoptFolder } from './adoption.ts'
import type { Packages, PackagesState } from './contract.ts'
import { type CacheLimits, openDownloadCache } from './download-cache.ts'
import { type Failure, failed, failureFrom, volumeFull } from './failure.ts'
import { PackagesFault } from './files/fault.ts'
import { placeOfPackage, readWanted, type Wanted } from './files/wanted.ts'
import { commandLine, install, spaceFor } from './installation.ts'
import { type Installations, openInstallations } from './installations.ts'
import type { NpmLimits } from './npm.ts'
import { npmSecrets } from './npm-secrets.ts'
import { otherPackageInWords } from './own-package.ts'
import { openRetries } from './retries.ts'
import { openTidying } from './tidying.ts'

export interface PackagesLimits extends NpmLimits, CacheLimits {
  /** How many installations are kept at most. */
  kept: number
  /** How much of the disk each may take. */
  bytes: number
}

/** The packages, and the end of installing them. */
export interface OpenPackages extends Packages {
  stop(): Promise<void>
}

interface Options {
  folders: Folders
  room: Room
  clock: Clock
  log: Logger
  secrets: Pick<SecretsService, 'reveal' | 'list'>
  sdk: Pick<SdkService, 'address' | 'tarball'>
  limits: PackagesLimits
  /** Names of the installations that the live set or a run was loaded with. */
  inUse: () => ReadonlySet<string>
  /** After each installation: it led `node_modules` to other packages. */
  onInstalled: () => void
}

/** In the volume, what npm downloaded. */
const npmCache = 'cache/npm'

type OwnState = Omit<PackagesState, 'nextTryAt' | 'kept' | 'cacheBytes' | 'limits'>

const keptOutput = 32 * 1024

const nothing: OwnState = {
  status: 'none',
  command: null,
  startedAt: null,
  finishedAt: null,
  output: '',
  error: null,
  offline: false,
  place: null,
}

export function openPackages(options: Options): OpenPackages {
  const { folders, clock, log, limits } = options
  const installations = openInstallations(folders)
  const cache = openDownloadCache(join(folders.dir, npmCache), limits)
  const retries = openRetries(clock)
  let state = nothing
  let going: { wanted: Wanted; abort: AbortController; done: Promise<void> } | null = null
  const tidying = openTidying({
    ...{ installations, cache, clock, inUse: options.inUse },
    isInstalling: () => going !== null,
  })
  let stopped = false
  /** What the secrets were that the last installation had. */
  let triedWith = ''

  const run = async (wanted: Wanted, signal: AbortSignal): Promise<void> => {
    const command = commandLine(wanted)
    const secrets = npmSecrets(folders.jobsDir, options.secrets)
    const masked = (text: string) => maskSecrets(text, Object.values(secrets.values))
    triedWith = secrets.stamp
    state = { ...nothing, status: 'installing', command, startedAt: clock.now() }
    log.info({ command }, 'installing packages')
    tidying.downloaded()
    const failure = await installWhole(wanted, installations, {
      ...options,
      secrets: secrets.values,
      signal,
      onOutput: endOf(2 * keptOutput, end => {
        state = { ...state, output: masked(end).slice(-keptOutput) }
      }),
    })
    const other = failure && otherPackageInWords(folders.jobsDir, state.output, options.sdk)
    state = {
      ...state,
      status: failure === null ? 'installed' : 'failed',
      finishedAt: clock.now(),
      error: failure && masked([inWords(failure, secrets.missing), other ?? ''].join(' ').trim()),
      place: failure && (failure.place ?? placeOfPackage(folders.jobsDir, failure.package ?? null)),
      offline: failure?.offline ?? false,
    }
    // What was fetched for it can be fetched again.
    if (failure?.full) await cache.clear()
    if (failure === null) options.onInstalled()
    else {
      if (!signal.aborted) retries.failed(wanted.key, failure)
      log.warn(
        { command, failed: state.error, retryInMs: retries.waitMs() },
        'packages could not be installed',
      )
    }
  }

  const missing = (): Wanted | null => {
    const wanted = readWanted(folders.jobsDir)
    if (wanted && !wanted.there) return wanted
    if (!going) state = { ...state, status: wanted ? 'installed' : 'none', error: null, offline: false }
    retries.forget()
    return null
  }

  const start = (wanted: Wanted): Promise<void> => {
    const abort = new AbortController()
    const done = run(wanted, abort.signal).finally(() => {
      going = null
    })
    going = { wanted, abort, done }
    return done
  }

  try {
    adoptFolder(folders.jobsDir, installations, clock)
  } catch (error) {
    log.warn({ err: error }, 'the packages stay in the jobs repo')
  }

  return {
    state: () => {
      const waitMs = state.status === 'failed' ? retries.waitMs() : null
      const nextTryAt = waitMs === null ? null : clock.now() + waitMs
      return { ...state, nextTryAt, kept: installations.list(), cacheBytes: cache.bytes(), limits }
    },
    missing: () => missing() !== null,
    ensure: async () => {
      for (let round = 0; round < 10; round++) {
        if (going) await going.done
        await tidying.idle()
        const wanted = missing()
        if (!wanted) return
        if (stopped) throw new Error('the instance is stopping')
        if (useKept(wanted, installations)) options.onInstalled()
        else if (retries.blocks(wanted.key))
          throw new PackagesFault(state.error ?? 'npm failed.', state.place ?? {})
        else await start(wanted)
      }
      throw new Error('package.json changed again and again while its packages were installed')
    },
    checkFiles: folder => void readWanted(folder),
    cancelStale: () => {
      if (!going) return
      try {
        if (readWanted(folders.jobsDir)?.key !== going.wanted.key) going.abort.abort()
      } catch {
        // Half written; the next look sees it whole.
      }
    },
    claimRetry: () => {
      if (going !== null || stopped) return false
      const { stamp } = npmSecrets(folders.jobsDir, options.secrets)
      // With another token it may succeed.
      if (state.status !== 'failed' || stamp === triedWith) return retries.due()
      triedWith = stamp
      retries.forget()
      return true
    },
    clearFailure: retries.forget,
    prune: tidying.run,
    stop: async () => {
      stopped = true
      going?.abort.abort()
      await going?.done
      await tidying.idle()
    },
  }
}

/** Calls back with the last characters of all the texts so far. */
function endOf(length: number, onEnd: (end: string) => void): (text: string) => void {
  let end = ''
  return text => {
    end = (end + text).slice(-length)
    onEnd(end)
  }
}

/** Null when the packages are installed, and in use by the repo. */
async function installWhole(
  wanted: Wanted,
  installations: Installations,
  options: Pick<Options, 'folders' | 'room' | 'clock' | 'limits' | 'inUse' | 'sdk'> & {
    secrets: Record<string, string>
    signal: AbortSignal
    onOutput: (text: string) => void
  },
): Promise<Failure | null> {
  const { folders, room, clock, limits, inUse, sdk, secrets, signal, onOutput } = options
  const { dir, jobsDir } = folders
  const over = room.busy()
  try {
    const space = spaceFor(room, limits.bytes)
    const known = installations.has(wanted.name)
    if (!known && space.bytes <= 0)
      return { ...volumeFull, message: `${space.remedy}; the installation is then retried.` }
    const full = known ? null : await makeRoom(installations, { most: limits.kept, inUse })
    const failure =
      full ??
      (await install(wanted, {
        ...limits,
        ...space,
        jobsDir,
        installations,
        cacheDir: join(dir, npmCache),
        sdk,
        secrets,
        now: clock.now,
        signal,
        onOutput,
      }))
    return failure ?? (readWanted(jobsDir)?.there === false ? failed('npm left some packages out.') : null)
  } catch (error) {
    return failureFrom(error)
  } finally {
    over()
  }
}

/** Returns why there is no room for one more installation. */
async function makeRoom(
  installations: Installations,
  { most, inUse }: { most: number; inUse: Options['inUse'] },
): Promise<Failure | null> {
  if (installations.list().length < most) return null
  await installations.prune(inUse())
  const { length } = installations.list()
  if (length < most) return null
  return failed(
    `${length} installations of packages are kept, the most there may be: runs that have not ended still use them. The installation is retried automatically.`,
    { passing: true },
  )
}

/** True when these packages were installed before, and the repo has been led back to them. */
function useKept({ name }: Wanted, installations: Installations): boolean {
  // If the repo uses it already, something is missing in it: it is made anew, and until then it stays.
  if (!installations.has(name) || installations.current() === name) return false
  installations.use(name)
  return true
}

/** With the secrets that would have helped. */
function inWords({ message, refused }: Failure, missing: readonly string[]): string {
  if (!refused || missing.length === 0) return message
  return `${message} .npmrc names ${missing.join(', ')}, and there is no such secret: set it on the Secrets page.`
}
