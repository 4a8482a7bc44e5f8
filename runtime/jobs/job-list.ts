import type { Clock } from '../../src/clock.ts'
import type { JobSpec } from '../manifest/manifest.ts'
import type { SecretsService } from '../secrets/contract.ts'
import type { Job, JobList, JobPolicies, Run } from './contract.ts'
import type { JobsDb } from './jobs-db.ts'
import type { LiveSetStore } from './live-set/live-set.ts'
import { unknownJob } from './problems.ts'
import { lastRuns, listRuns } from './runs/run-record.ts'
import { listSlots } from './slots/ledger.ts'
import type { Scheduler } from './slots/scheduler.ts'

/** The jobs of the live set, each with its next due time and its last run. */
export function jobList(options: {
  db: JobsDb
  live: LiveSetStore
  secrets: Pick<SecretsService, 'reveal'>
  scheduler: Pick<Scheduler, 'next' | 'refresh'>
  clock: Clock
  /** Memory limit of runs whose job sets none. */
  memoryMb: number
}): JobList {
  const { db, live, secrets, scheduler, clock, memoryMb } = options

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
      nextRunAt: enabled ? scheduler.next(id) : null,
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

  const one = (id: string): Job | null => {
    const spec = live.current()?.jobs.get(id)
    if (!spec) return null
    return jobOf(spec, lastRuns(db, [id]).get(id) ?? null, missingOf([spec]))
  }
  const known = (id: string): Job => {
    const job = one(id)
    if (!job) throw unknownJob(`No job "${id}" is registered.`)
    return job
  }

  return {
    all: () => withLastRuns(specs()),
    find: ({ search = '', limit, offset }) => {
      const found = specs().filter(spec => mentions(spec, search))
      return { jobs: withLastRuns(found.slice(offset, offset + limit)), total: found.length }
    },
    one,
    known,
    everKnown: id => {
      const runs = listRuns(db, { jobId: id, limit: 1, offset: 0 }).total
      return runs + listSlots(db, id, { limit: 1 }).total > 0 ? id : known(id).id
    },
    ids: () => [...(live.current()?.jobs.keys() ?? [])],
    setEnabled: (jobId, enabled) => {
      if (!live.current()?.jobs.has(jobId)) throw unknownJob(`No job "${jobId}" is registered.`)
      live.setEnabled(jobId, enabled, clock.now())
      scheduler.refresh(clock.now())
      return known(jobId)
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
