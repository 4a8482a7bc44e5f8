import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../src/clock.ts'
import { type Lock, parseText, readText } from './package-files.ts'
import { foreignMarks } from './wanted.ts'

/** `node_modules` of the jobs repo, where a person may run npm as well. */
export interface Checkout {
  /** True when `node_modules` may be replaced at once: npm run by hand would leave something else there. */
  isFree(): boolean
  /**
   * Waits while npm may be at work in `node_modules`. Returns null when the folder may be replaced. Returns the reason
   * when npm began it, has not finished it, and has changed nothing for a minute; or when `signal` aborts.
   */
  settled(signal: AbortSignal): Promise<string | null>
  /** A person says that npm is no longer at work: what it has left may be replaced, until it changes. */
  release(): void
}

/** npm extracts packages all the time while it works. Slow registries and install scripts make pauses. */
const pauseMs = 60_000
/** After this time without a change, what npm left is taken for abandoned. */
const abandonedMs = 10 * 60_000
/** npm writes its lockfiles one after the other, and creates the folder after it removed the link. */
const steadyLooks = 5
const lookEveryMs = 200

type Look =
  | { state: 'free' }
  /** npm finished the folder, or the link is gone and npm may be about to create the folder. */
  | { state: 'steady' | 'begun'; stamp: string; why: string }

/** Watches `node_modules` of this repo. `hasInstallations` says whether there is one that the repo has been led to. */
export function openCheckout(jobsDir: string, clock: Clock, hasInstallations: () => boolean): Checkout {
  let seen = { stamp: '', sinceMs: 0, looks: 0 }
  let released: string | null = null

  const look = (): Look => {
    const found = lookAt(jobsDir, hasInstallations)
    const stamp = found.state === 'free' ? '' : found.stamp
    if (seen.stamp === stamp) seen.looks++
    else seen = { stamp, sinceMs: clock.monotonic(), looks: 1 }
    return found
  }
  /** Null while the next look may say more. */
  const verdict = (found: Look): { reason: string | null } | null => {
    if (found.state === 'free' || found.stamp === released) return { reason: null }
    if (found.state === 'steady') return seen.looks > steadyLooks ? { reason: null } : null
    const unchangedMs = clock.monotonic() - seen.sinceMs
    if (unchangedMs < pauseMs) return null
    return { reason: unchangedMs < abandonedMs ? inWords(found.why) : null }
  }

  return {
    isFree: () => look().state === 'free',
    settled: async signal => {
      for (;;) {
        if (signal.aborted) return 'it was broken off.'
        const known = verdict(look())
        if (known) return known.reason
        await clockless(lookEveryMs, signal)
      }
    },
    release: () => {
      const found = lookAt(jobsDir, hasInstallations)
      released = found.state === 'begun' ? found.stamp : null
    },
  }
}

const inWords = (why: string): string =>
  `npm began node_modules in the jobs repo and did not finish it: ${why}. The folder was kept. If npm still runs there, let it finish. If it was stopped, choose "Install now", which replaces the folder; after ten minutes without a change, the instance does that by itself.`

/** A pause between two looks at the disk, on the system's own timer: other programs do not work by the clock of a test. */
function clockless(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(done => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      done()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

/**
 * npm has no lock of its own. It moves packages that it replaces to `.<name>-<hash>`, extracts new ones, and writes
 * `.package-lock.json`, with all that is there, at the very end. So a folder is finished when that file is there and
 * names each package, and no moved one is left.
 */
function lookAt(jobsDir: string, hasInstallations: () => boolean): Look {
  const modules = join(jobsDir, 'node_modules')
  const status = lstatSync(modules, { throwIfNoEntry: false })
  if (!status) return hasInstallations() ? { state: 'steady', stamp: 'gone', why: '' } : { state: 'free' }
  if (!status.isDirectory()) return { state: 'free' }
  const { names, changedMs } = entriesOf(modules)
  const lockText = readText(join(modules, '.package-lock.json'))
  const stamp = [status.ino, changedMs, names.length, lockText?.length].join(' ')
  if (foreignMarks.some(mark => names.includes(mark))) return { state: 'steady', stamp, why: '' }
  const packages = names.filter(name => !/^\.|\/\./.test(name))
  const moved = names.find(name => /(^|\/)\..+-[A-Za-z0-9]{8}$/.test(name))
  if (moved !== undefined)
    return { state: 'begun', stamp, why: `node_modules/${moved} is a package that it moved aside` }
  if (lockText === null) {
    if (packages.length === 0) return { state: 'free' }
    return { state: 'begun', stamp, why: 'node_modules/.package-lock.json, which it writes last, is missing' }
  }
  const known = parseText<Lock>(lockText)?.packages ?? {}
  const unknown = packages.find(name => !Object.hasOwn(known, `node_modules/${name}`))
  if (unknown === undefined) return { state: 'steady', stamp, why: '' }
  return {
    state: 'begun',
    stamp,
    why: `node_modules/${unknown} is not in node_modules/.package-lock.json, which it writes last`,
  }
}

/** Names of folders in `node_modules`, those in scopes as `@scope/name`, dotted ones too; and when one changed last. */
function entriesOf(modules: string): { names: string[]; changedMs: number } {
  let changedMs = 0
  const within = (folder: string): string[] => {
    try {
      return readdirSync(join(modules, folder)).map(name => (folder === '' ? name : `${folder}/${name}`))
    } catch {
      // npm has moved it by now.
      return []
    }
  }
  // The types of `longhouse/jobs` are put there by the instance.
  const names = within('')
    .filter(name => name !== 'longhouse')
    .flatMap(name => (name.startsWith('@') ? [name, ...within(name)] : [name]))
  const folders = names.filter(name => {
    const status = lstatSync(join(modules, name), { throwIfNoEntry: false })
    changedMs = Math.max(changedMs, status?.mtimeMs ?? 0)
    const isPackage = status?.isDirectory() && !/^@[^/]+$/.test(name)
    return isPackage || foreignMarks.includes(name)
  })
  return { names: folders, changedMs }
}
