import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ReadOptions, readManifest } from '../../manifest/read-manifest.ts'
import type { Draft } from '../../manifest/reader-protocol.ts'
import type { Packages, PackagesError } from '../../packages/contract.ts'
import type { Folders } from '../../volume/contract.ts'
import type { CheckResult } from '../contract.ts'
import { differenceOf, isEmpty } from './difference.ts'
import { copyWithDraft } from './draft-copy.ts'
import type { LiveSetStore } from './live-set.ts'
import { packagesError } from './load-state.ts'
import type { LoadLimits } from './loader.ts'

/** Code is compiled from memory. Anything else is read from the disk: by the compiler, by Node, or by the manifest. */
const code = /\.(?:[cm]?[jt]s|[jt]sx)$/

/** What counts without an import. */
const settings = /(?:^|\/)(?:package|[tj]sconfig[\w.-]*)\.json$/

/** The folder of the volume that checks work in. */
export const checksFolder = 'checks'

/**
 * Returns the effect of saving the draft, with the same errors: code is read from memory in place of the file, and any other
 * file is tried in a copy of the repo. Builds it in a folder that is deleted afterwards.
 */
export async function checkDraft(
  draft: Draft,
  options: {
    volume: Folders
    live: LiveSetStore
    packages: Pick<Packages, 'checkFiles'>
    limits: LoadLimits
    timezone: string
    now: number
  },
): Promise<CheckResult> {
  const { volume, live, packages, limits, timezone, now } = options
  const checks = join(volume.dir, checksFolder)
  await mkdir(checks, { recursive: true })
  const buildsDir = await mkdtemp(join(checks, 'check-'))
  try {
    const { readMs: limitMs, memoryMb } = limits
    const reading = { buildsDir, volumeDir: volume.dir, timezone, limitMs, memoryMb }
    const isCode = code.test(draft.file)
    const read = isCode
      ? await readManifest({ ...reading, jobsDir: volume.jobsDir, draft })
      : await readCopy(draft, { ...reading, jobsDir: volume.jobsDir, packages })
    if ('errors' in read) return { errors: read.errors, difference: null, used: true }
    const jobs = new Map(read.jobs.map(job => [job.id, job]))
    const difference = differenceOf(live.current()?.jobs ?? new Map(), jobs, now)
    const used = read.inputs.includes(draft.file) || settings.test(draft.file) || !isEmpty(difference)
    return { errors: [], difference, used }
  } finally {
    await rm(buildsDir, { recursive: true, force: true })
  }
}

async function readCopy(
  draft: Draft,
  { packages, jobsDir, ...reading }: ReadOptions & { packages: Pick<Packages, 'checkFiles'> },
) {
  const copy = join(reading.buildsDir, 'jobs')
  await copyWithDraft(jobsDir, copy, draft)
  try {
    packages.checkFiles(copy)
  } catch (error) {
    return { errors: [packagesError((error as Error).message, error as PackagesError)] }
  }
  return readManifest({ ...reading, jobsDir: copy })
}
