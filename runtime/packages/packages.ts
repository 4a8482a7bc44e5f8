import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { Folders } from '../volume/contract.ts'
import type { Packages, PackagesState } from './contract.ts'
import { failed } from './failure.ts'
import { commandLine, install } from './installation.ts'
import type { NpmLimits } from './npm.ts'
import { openRetries } from './retries.ts'
import { readWanted, type Wanted } from './wanted.ts'

/** The packages, and the end of installing them. */
export interface OpenPackages extends Packages {
  stop(): Promise<void>
}

const keptOutput = 32 * 1024

export function openPackages(options: {
  folders: Folders
  clock: Clock
  log: Logger
  limits: NpmLimits
  /** After each installation: it replaced everything in `node_modules`. */
  onInstalled: () => void
}): OpenPackages {
  const { folders, clock, log } = options
  const { jobsDir } = folders
  const workDir = join(folders.dir, 'packages')
  const retries = openRetries(clock)
  let state: Omit<PackagesState, 'nextTryAt'> = {
    status: 'none',
    command: null,
    startedAt: null,
    finishedAt: null,
    output: '',
    error: null,
    offline: false,
  }
  let going: { wanted: Wanted; abort: AbortController; done: Promise<void> } | null = null
  let stopped = false

  const run = async (wanted: Wanted, signal: AbortSignal): Promise<void> => {
    const command = commandLine(wanted)
    state = {
      status: 'installing',
      command,
      startedAt: clock.now(),
      finishedAt: null,
      output: '',
      error: null,
      offline: false,
    }
    log.info({ command }, 'installing packages')
    const failure = await install(wanted, {
      ...options.limits,
      jobsDir,
      workDir,
      cacheDir: join(folders.dir, 'cache/npm'),
      signal,
      onOutput: text => {
        state = { ...state, output: (state.output + text).slice(-keptOutput) }
      },
    })
      .then(
        failure =>
          failure ?? (readWanted(jobsDir)?.there === false ? failed('npm left some packages out.') : null),
      )
      .catch((error: Error) => failed(error.message))
    await rm(workDir, { recursive: true, force: true }).catch(error =>
      log.warn({ err: error }, 'the folder of an installation could not be removed'),
    )
    state = {
      ...state,
      status: failure === null ? 'installed' : 'failed',
      finishedAt: clock.now(),
      error: failure?.message ?? null,
      offline: failure?.offline ?? false,
    }
    if (failure === null) options.onInstalled()
    else {
      if (!signal.aborted) retries.failed(wanted.key, failure)
      log.warn(
        { command, failed: failure.message, retryInMs: retries.waitMs() },
        'packages could not be installed',
      )
    }
  }

  const missing = (): Wanted | null => {
    const wanted = readWanted(jobsDir)
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

  return {
    state: () => {
      const waitMs = state.status === 'failed' ? retries.waitMs() : null
      return { ...state, nextTryAt: waitMs === null ? null : clock.now() + waitMs }
    },
    missing: () => missing() !== null,
    ensure: async () => {
      for (let round = 0; round < 10; round++) {
        if (going) await going.done
        const wanted = missing()
        if (!wanted) return
        if (stopped) throw new Error('the instance is stopping')
        if (retries.blocks(wanted.key)) throw new Error(state.error ?? 'npm failed.')
        await start(wanted)
      }
      throw new Error('package.json changed again and again while its packages were installed')
    },
    glance: () => {
      if (!going) return
      try {
        // What npm does in the repo itself looks like a change of mind, and is none.
        if (!going.wanted.inPlace && readWanted(jobsDir)?.key !== going.wanted.key) going.abort.abort()
      } catch {
        // Half written; the next look sees it whole.
      }
    },
    retryDue: () => going === null && !stopped && retries.due(),
    forgive: retries.forget,
    stop: async () => {
      stopped = true
      going?.abort.abort()
      await going?.done
    },
  }
}
