import { execFile } from 'node:child_process'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../src/clock.ts'
import { defineProblem } from '../../src/http/problem.ts'
import type { Logger } from '../../src/log.ts'
import { type DiskLevel, diskLevel, enforcedQuota } from '../../src/storage/disk-limit.ts'
import { type FolderSize, folderSize } from '../../src/storage/folder-size.ts'
import { bytesInWords } from '../../views/components/bytes.ts'
import type { Room } from './contract.ts'
import { deletedFileBytes } from './deleted-files.ts'

const diskLimit = defineProblem('disk-limit', 507, 'The instance has no disk space left')

/** While work is in progress, the free space of the disk is looked at this often, which costs nothing. */
const lookEveryMs = 1000
/** The volume is measured then, even if the disk has as much free space as before. */
const measuredAfterMs = 3000
/** A measurement may take this share of the time: a volume may have a million files. */
const share = 1 / 20
/** A disk that lost less than this share of the limit is not measured at once. */
const noticedShare = 1 / 32
const longestMs = 5 * 60_000

/**
 * How much of the disk the volume takes, beside its limit. Measured when the program starts, now and then, and more often while
 * work is in progress. `onBeyond` is called after each measurement of a volume that is far beyond its limit.
 */
export function openRoom(options: {
  dir: string
  limitBytes: number | null
  clock: Clock
  log: Logger
  onBeyond: (words: string) => void
}): Room & { measure(): Promise<void>; stop(): Promise<void> } {
  const { dir, limitBytes, clock, log, onBeyond } = options
  let use: ReturnType<Room['use']> = null
  let [works, lastMs, freeBytes, logged] = [0, 0, 0, 'well' as DiskLevel]
  const ending = new AbortController()
  let measuring: Promise<void> | null = null
  let watching: Promise<void> | null = null

  const level = (): DiskLevel => (use && limitBytes !== null ? diskLevel(use.bytes, limitBytes) : 'well')
  const words = () =>
    `The instance uses ${bytesInWords(use?.bytes ?? 0)} of the ${bytesInWords(limitBytes ?? 0)} of disk space that it may have`

  const measureOnce = async () => {
    const began = clock.monotonic()
    const before = await free(dir)
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(longestMs)])
    const { bytes } = await readable(dir, signal)
    const hidden = works > 0 ? await deletedFileBytes((await stat(dir)).dev) : 0
    use = { bytes: bytes + hidden, at: clock.now() }
    freeBytes = before
    lastMs = clock.monotonic() - began
    if (level() !== logged)
      log.info({ ...use, limitBytes, level: level() }, 'the use of the disk has changed')
    logged = level()
    if (level() === 'beyond') onBeyond(words())
  }
  const measure = (): Promise<void> => {
    measuring ??= measureOnce().finally(() => {
      measuring = null
    })
    return measuring
  }
  const isDue = async () => {
    const age = clock.now() - (use?.at ?? 0)
    if (use === null || age < 0 || age > Math.max(measuredAfterMs, lastMs / share)) return true
    const lost = freeBytes - (await free(dir))
    return lost > (limitBytes ?? 0) * noticedShare && age > lastMs / share
  }
  /** Looks while work is in progress, and once after that. */
  const watch = async () => {
    do {
      await clock.sleep(lookEveryMs, ending.signal)
      if (ending.signal.aborted) return
      try {
        if (await isDue()) await measure()
      } catch (error) {
        if (!ending.signal.aborted) log.warn({ err: error }, 'the use of the disk could not be measured')
      }
    } while (works > 0)
    watching = null
  }

  return {
    limitBytes,
    use: () => use,
    level,
    words,
    quota: async () => {
      const seen = await statfs(dir)
      const quota = enforcedQuota(seen, limitBytes)
      return quota && { ...quota, usedFiles: seen.files - seen.ffree }
    },
    require: kept => {
      if (level() !== 'full' && level() !== 'beyond') return
      throw diskLimit(
        `${words()}. ${kept} Delete files or history that are not needed, or ask the operator for more; the page “Disk” shows what takes the space.`,
      )
    },
    busy: () => {
      if (limitBytes === null) return () => {}
      works++
      watching ??= watch()
      return () => {
        works--
      }
    },
    measure,
    stop: async () => {
      ending.abort()
      await Promise.allSettled([measuring, watching])
    },
  }
}

async function free(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}

/** A job may have made a folder that no one may read, with anything in it: it gets its owner's rights back. */
async function readable(dir: string, signal: AbortSignal): Promise<FolderSize> {
  const first = await folderSize(dir, signal)
  if (!first.partial) return first
  await new Promise<void>(done =>
    execFile('chmod', ['-R', 'u+rX', join(dir, 'jobs', 'data'), join(dir, 'tmp')], { signal }, () => done()),
  )
  return folderSize(dir, signal)
}
