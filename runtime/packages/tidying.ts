import type { Clock } from '../../src/clock.ts'
import type { DownloadCache } from './download-cache.ts'
import type { Installations } from './installations.ts'

/** Removes what packages leave on the disk, and nothing that is in use. */
export interface Tidying {
  /** Removes installations that nothing refers to, and now and then downloads. Does nothing during an installation. */
  run(): Promise<void>
  /** Resolves when nothing is being removed. An installation waits for that. */
  idle(): Promise<void>
  /** The downloads have changed. */
  downloaded(): void
}

/** How often the downloads are looked at when nothing was installed, in milliseconds. */
const cacheEveryMs = 24 * 60 * 60_000

export function openTidying(options: {
  installations: Installations
  cache: DownloadCache
  clock: Clock
  inUse: () => ReadonlySet<string>
  isInstalling: () => boolean
}): Tidying {
  const { installations, cache, clock, inUse, isInstalling } = options
  let cacheDueAt = clock.monotonic()
  let last: Promise<void> = Promise.resolve()
  const tidy = async () => {
    if (isInstalling()) return
    await installations.prune(inUse())
    if (clock.monotonic() < cacheDueAt) return
    cacheDueAt = clock.monotonic() + cacheEveryMs
    await cache.prune(clock.now())
  }
  return {
    run: () => {
      const now = last.then(tidy)
      last = now.catch(() => {})
      return now
    },
    idle: () => last,
    downloaded: () => {
      cacheDueAt = clock.monotonic()
    },
  }
}
