import type { Job, JobPolicies, Run } from '../contract.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { JobsDb, LiveSetStore } from './live-set.ts'
import type { JobSpec } from './manifest.ts'
import { lastRuns, listRuns } from './run-record.ts'

/** The jobs of the live set, each with when it is due next and its last run. */
export interface JobList {
  all(): Job[]
  /** Those whose id or description has every word of `search` in it; `total` counts them all. */
  find(filter: { search?: string; limit: number; offset: number }): { jobs: Job[]; total: number }
  one(id: string): Job | null
}

export function createJobList(options: {
  db: JobsDb
  live: LiveSetStore
  secrets: Pick<Secrets, 'reveal'>
  /** When a job is due next; null when that is never. */
  next: (jobId: string) => number | null
  /** What runs of jobs that do not say may hold. */
  memoryMb: number
}): JobList {
  const { db, live, secrets, next, memoryMb } = options

  const jobOf = (spec: JobSpec, lastRun: Run | null, missing: ReadonlySet<string>): Job => {
    const { id, cron, timezone, description, source } = spec
    const { enabled } = live.schedule(id)
    return {
      id,
      cron,
      timezone,
      description,
      source,
      enabled,
      nextRunAt: enabled ? next(id) : null,
      lastRun,
      policies: policiesOf(spec, memoryMb),
      notify: spec.notify,
      params: spec.params,
      secrets: spec.secrets,
      missingSecrets: spec.secrets.filter(name => missing.has(name)),
    }
  }
  const missingOf = (found: readonly JobSpec[]): ReadonlySet<string> => {
    const wanted = new Set(found.flatMap(spec => spec.secrets))
    return new Set(wanted.size === 0 ? [] : secrets.reveal(wanted).missing)
  }
  const specs = (): JobSpec[] => [...(live.current()?.jobs.values() ?? [])]
  const withLastRuns = (found: readonly JobSpec[]): Job[] => {
    const ids = found.map(spec => spec.id)
    const last = lastRuns(db, ids)
    const missing = missingOf(found)
    return found.map(spec => jobOf(spec, last.get(spec.id) ?? null, missing))
  }

  return {
    all: () => withLastRuns(specs()),
    find: ({ search = '', limit, offset }) => {
      const found = specs().filter(spec => mentions(spec, search))
      return { jobs: withLastRuns(found.slice(offset, offset + limit)), total: found.length }
    },
    one: id => {
      const spec = live.current()?.jobs.get(id)
      if (!spec) return null
      const last = listRuns(db, { jobId: id, limit: 1, offset: 0 }).runs[0] ?? null
      return jobOf(spec, last, missingOf([spec]))
    },
  }
}

function policiesOf(spec: JobSpec, memoryMb: number): JobPolicies {
  const { timeout, memory, catchUp, catchUpWindow, overlap, retry, onInterrupt, concurrencyKey } = spec
  return {
    timeoutMs: timeout,
    memory: { bytes: memory ?? memoryMb * 1024 ** 2, own: memory !== null },
    catchUp,
    catchUpWindowMs: catchUpWindow,
    overlap,
    retry: retry && {
      attempts: retry.attempts,
      delayMs: retry.delay,
      factor: retry.factor,
      maxDelayMs: retry.maxDelay,
      jitter: retry.jitter,
    },
    onInterrupt,
    concurrencyKey,
  }
}

function mentions({ id, description }: JobSpec, search: string): boolean {
  const text = `${id} ${description}`.toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word))
}
