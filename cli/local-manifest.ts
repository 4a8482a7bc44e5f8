import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { JobSpec } from '../runtime/manifest/manifest.ts'
import type { ManifestError } from '../runtime/manifest/manifest-error.ts'
import { readManifest } from '../runtime/manifest/read-manifest.ts'
import { ordinaryMemoryMb } from '../runtime/process/memory.ts'
import { nearest } from '../src/nearest.ts'
import { timezoneFault } from '../src/timezone.ts'
import { UsageError } from './command/arguments.ts'
import { CommandError } from './command/jobs-folder.ts'
import { oneLine } from './command/output.ts'

export interface LocalManifest {
  /** The folder of the build, absolute; deleted when the work is done. */
  build: string
  jobs: ReadonlyMap<string, JobSpec>
  /** Imports that fail when a run comes to them. */
  warnings: readonly ManifestError[]
}

/** The manifest has errors. */
export class BrokenManifest extends Error {
  readonly errors: readonly ManifestError[]
  constructor(errors: readonly ManifestError[]) {
    super('the manifest has errors')
    this.errors = errors
  }
}

/** The limits of an instance. */
const limits = { limitMs: 10_000, memoryMb: ordinaryMemoryMb }

/** Reads the manifest of the jobs repo as an instance does, and calls back with it. Throws BrokenManifest. */
export async function withManifest<T>(
  options: { dir: string; timezone: string; signal: AbortSignal },
  work: (manifest: LocalManifest) => Promise<T>,
): Promise<T> {
  const { dir, timezone, signal } = options
  // With the layout of a volume.
  const scratch = mkdtempSync(join(realpathSync(tmpdir()), 'longhouse-jobs-'))
  const buildsDir = join(scratch, 'builds')
  mkdirSync(buildsDir)
  try {
    const read = await readManifest({ jobsDir: dir, buildsDir, timezone, signal, clone: true, ...limits })
    signal.throwIfAborted()
    if ('errors' in read) throw new BrokenManifest(read.errors)
    const jobs = new Map(read.jobs.map(job => [job.id, job]))
    return await work({ build: join(buildsDir, read.build), jobs, warnings: read.warnings })
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

/** The job named on the command line. */
export function jobOf(jobs: LocalManifest['jobs'], id: string): JobSpec {
  const job = jobs.get(id)
  if (job) return job
  if (jobs.size === 0) throw new CommandError(`there is no job "${id}": the manifest registers none`)
  const close = nearest(id, jobs.keys())
  const hint = close
    ? `did you mean ${close}?`
    : `there is ${[...jobs.keys()].slice(0, 10).join(', ')}${jobs.size > 10 ? ' …' : ''}`
  throw new CommandError(`there is no job "${id}"; ${hint}`)
}

/** The zone of jobs without one. */
export function zoneOf(named: string | undefined): string {
  const [source, timezone] =
    named === undefined
      ? ['LONGHOUSE_TIMEZONE', process.env.LONGHOUSE_TIMEZONE || 'UTC']
      : ['--timezone', named]
  const fault = timezoneFault(timezone)
  if (fault) throw new UsageError(`${source}: ${fault}`)
  return timezone
}

/** `file:line:column message`, with the file relative to the current folder. */
export function errorLine({ file, line, column, message }: ManifestError, dir: string, from: string): string {
  if (file === null) return oneLine(message)
  const place = [relative(from, join(dir, file)), ...(line === null ? [] : [line, column ?? 1])].join(':')
  return `${oneLine(place)} ${oneLine(message)}`
}
