import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import { within } from '../../web/within.ts'
import { chooseObjects, type PackLimits, storedPacks } from './stored-objects.ts'

export interface Repacker {
  /** Puts objects together, and deletes the marked packs of these names. Returns how many packs were put together. */
  repack(drop: readonly string[]): Promise<number>
  end(): Promise<void>
}

/** A program that is slower is ended; the repo is whole, whatever it was doing. */
const limitMs = 5 * 60_000

/** Longer than anything reads the jobs repo: a clone may take ten minutes. */
const readersMs = 60 * 60_000

/**
 * Puts the many small packs of pushes and syncs together in the background. Marked packs are deleted after an hour: until then, a
 * reader may have them open.
 */
export function openRepacking({
  jobsDir,
  limits,
  start,
  hasRoom,
  clock,
  log,
}: {
  jobsDir: string
  limits: PackLimits
  start(): Repacker
  /** Whether the disk has room for a further pack. */
  hasRoom(): boolean
  clock: Clock
  log: Logger
}): { round(signal: AbortSignal): Promise<void> } {
  /** Since when marked packs have been seen, on the monotonic clock. */
  const seen = new Map<string, number>()
  let failedWith = ''

  return {
    round: async signal => {
      const { obsolete } = storedPacks(jobsDir)
      const now = clock.monotonic()
      for (const name of seen.keys()) if (!obsolete.includes(name)) seen.delete(name)
      for (const name of obsolete) if (!seen.has(name)) seen.set(name, now)
      const drop = obsolete.filter(name => now - (seen.get(name) ?? now) >= readersMs)
      const chosen = chooseObjects(jobsDir, limits)
      const what = JSON.stringify(chosen)
      const isDue = chosen.packs.length + chosen.loose.length > 0 && what !== failedWith && hasRoom()
      if (signal.aborted || !(isDue || drop.length > 0)) return
      let repacker: Repacker | null = null
      const end = () => void repacker?.end()
      signal.addEventListener('abort', end)
      try {
        repacker = start()
        const packs = await within(limitMs, repacker.repack(drop))
        if (packs === null) throw new Error('it took too long')
        log.debug({ packs }, 'the packs of the jobs repo were put together')
      } catch (error) {
        if (signal.aborted) return
        // The same objects would fail again, as when one is damaged.
        failedWith = what
        log.warn(
          { err: error },
          'the packs of the jobs repo could not be put together; they stay as they are',
        )
      } finally {
        signal.removeEventListener('abort', end)
        await repacker?.end()
      }
    },
  }
}
