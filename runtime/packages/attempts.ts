import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { maskSecrets } from '../../src/masking/mask.ts'
import type { SdkService } from '../sdk/contract.ts'
import type { SecretsService } from '../secrets/contract.ts'
import type { Folders, Room } from '../volume/contract.ts'
import type { PackagesState } from './contract.ts'
import type { CacheLimits, DownloadCache } from './download-cache.ts'
import type { Checkout } from './files/checkout.ts'
import { placeOfPackage, readWanted, type Wanted } from './files/wanted.ts'
import { commandLine, install, spaceFor } from './installation.ts'
import type { Installations } from './installations.ts'
import { type Failure, failed, failureFrom, volumeFull } from './npm/failure.ts'
import type { NpmLimits } from './npm/npm.ts'
import { npmSecrets } from './npm/secrets.ts'
import { otherPackageInWords } from './own-package.ts'
import { openRetries } from './retries.ts'

export interface PackagesLimits extends NpmLimits, CacheLimits {
  /** How many installations are kept at most. */
  kept: number
  /** How much of the disk each may take. */
  bytes: number
}

export interface AttemptsOptions {
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
export const npmCache = 'cache/npm'

/** What a person sees of the last attempt. */
export type AttemptState = Omit<PackagesState, 'kept' | 'cacheBytes' | 'limits'>

/** Installations of packages, one after the other: each fails or succeeds, and says why. */
export interface Attempts {
  state(): AttemptState
  /** Nothing is missing: there are packages, or none are asked for. */
  nothingMissing(status: 'installed' | 'none'): void
  /** Why an attempt for these packages would fail again; null when it may be made. */
  blocked(wanted: Wanted): Pick<AttemptState, 'error' | 'place'> | null
  /** Installs the packages and leads the repo to them. Never rejects; the state says how it ended. */
  run(wanted: Wanted, signal: AbortSignal): Promise<void>
  /** True once when a failed attempt may be repeated: its time has come, or the secrets of npm have changed. */
  claimRetry(): boolean
  forget(): void
}

const keptOutput = 32 * 1024

const nothing: Omit<AttemptState, 'nextTryAt'> = {
  status: 'none',
  command: null,
  startedAt: null,
  finishedAt: null,
  output: '',
  error: null,
  offline: false,
  place: null,
}

export function openAttempts(
  options: AttemptsOptions & { installations: Installations; checkout: Checkout; cache: DownloadCache },
): Attempts {
  const { folders, clock, log, checkout, cache } = options
  const retries = openRetries(clock)
  let state = nothing
  /** What the secrets were that the last installation had. */
  let triedWith = ''

  const run = async (wanted: Wanted, signal: AbortSignal): Promise<void> => {
    const command = commandLine(wanted)
    const secrets = npmSecrets(folders.jobsDir, options.secrets)
    const masked = (text: string) => maskSecrets(text, Object.values(secrets.values))
    triedWith = secrets.stamp
    state = { ...nothing, status: 'installing', command, startedAt: clock.now() }
    log.info({ command }, 'installing packages')
    const onOutput = endOf(2 * keptOutput, end => {
      state = { ...state, output: masked(end).slice(-keptOutput) }
    })
    if (!checkout.isFree()) onOutput('[longhouse] Waits for npm in the jobs repo, if it runs there.\n')
    const failure = await installWhole(wanted, {
      ...options,
      secrets: secrets.values,
      checkoutSettled: () => checkout.settled(signal),
      signal,
      onOutput,
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

  return {
    state: () => {
      const waitMs = state.status === 'failed' ? retries.waitMs() : null
      return { ...state, nextTryAt: waitMs === null ? null : clock.now() + waitMs }
    },
    nothingMissing: status => {
      state = { ...state, status, error: null, offline: false }
    },
    blocked: ({ key }) => (retries.blocks(key) ? state : null),
    run,
    claimRetry: () => {
      const { stamp } = npmSecrets(folders.jobsDir, options.secrets)
      // With another token it may succeed.
      if (state.status !== 'failed' || stamp === triedWith) return retries.due()
      triedWith = stamp
      retries.forget()
      return true
    },
    forget: retries.forget,
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

interface WholeOptions
  extends Pick<AttemptsOptions, 'folders' | 'room' | 'clock' | 'limits' | 'inUse' | 'sdk'> {
  installations: Installations
  secrets: Record<string, string>
  checkoutSettled: () => Promise<string | null>
  signal: AbortSignal
  onOutput: (text: string) => void
}

/** Null when the packages are installed, and in use by the repo. */
async function installWhole(wanted: Wanted, options: WholeOptions): Promise<Failure | null> {
  const { folders, room, clock, limits, inUse, installations, checkoutSettled } = options
  const { dir, jobsDir } = folders
  const over = room.busy()
  try {
    const busy = await checkoutSettled()
    if (busy !== null) return failed(busy, { passing: true })
    const now = readWanted(jobsDir)
    if (now?.key !== wanted.key) return failed('package.json changed meanwhile.')
    if (now.there || useKept(wanted, installations)) return null
    const space = spaceFor(room, limits.bytes)
    const known = installations.has(wanted.name)
    if (!known && space.bytes <= 0)
      return { ...volumeFull, message: `${space.remedy}; the installation is then retried.` }
    const full = known ? null : await makeRoom(installations, { most: limits.kept, inUse })
    const failure =
      full ??
      (await install(wanted, {
        ...options,
        ...limits,
        ...space,
        jobsDir,
        cacheDir: join(dir, npmCache),
        now: clock.now,
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
  { most, inUse }: { most: number; inUse: AttemptsOptions['inUse'] },
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
export function useKept({ name }: Wanted, installations: Installations): boolean {
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
