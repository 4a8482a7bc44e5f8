import { mkdirSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readManifest } from '../../manifest/read-manifest.ts'
import type { Draft } from '../../manifest/reader-protocol.ts'
import type { Folders } from '../../volume/contract.ts'
import type { CheckResult } from '../contract.ts'
import { differenceOf } from './difference.ts'
import type { LiveSetStore } from './live-set.ts'
import type { LoadLimits } from './loader.ts'

/** Returns the effect of saving the draft. Builds it in a folder that is deleted afterwards. */
export async function checkDraft(
  draft: Draft,
  options: { volume: Folders; live: LiveSetStore; limits: LoadLimits; timezone: string; now: number },
): Promise<CheckResult> {
  const { volume, live, limits, timezone, now } = options
  const checks = join(volume.dir, 'checks')
  mkdirSync(checks, { recursive: true })
  const buildsDir = mkdtempSync(join(checks, 'check-'))
  try {
    const { readMs: limitMs, memoryMb } = limits
    const read = await readManifest({
      jobsDir: volume.jobsDir,
      buildsDir,
      volumeDir: volume.dir,
      timezone,
      limitMs,
      memoryMb,
      draft,
    })
    if ('errors' in read) return { errors: read.errors, difference: null, used: true }
    const jobs = new Map(read.jobs.map(job => [job.id, job]))
    return {
      errors: [],
      difference: differenceOf(live.current()?.jobs ?? new Map(), jobs, now),
      used: read.inputs.includes(draft.file),
    }
  } finally {
    await rm(buildsDir, { recursive: true, force: true })
  }
}
