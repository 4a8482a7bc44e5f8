import type { Clock } from '../../src/clock.ts'
import type { JobsService, Run } from '../jobs/contract.ts'
import { exposition, type Metric } from './exposition.ts'

/** Upper bounds in seconds. */
const buckets = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600] as const
/** Series of single jobs end here; later ones are counted under `job=""`. */
const mostJobs = 200
const pageSize = 500
const mostDecided = 100_000

interface Histogram {
  counts: number[]
  sum: number
  count: number
}

/**
 * Counts what has happened since the program started. Nothing is counted until somebody asks: the ledger and the
 * history hold it meanwhile, and each question reads what is new in them.
 */
export function createMetrics({ clock, version }: { clock: Clock; version: string }) {
  const startedAt = clock.now()
  const ended = new Map<Run['status'], number>()
  const slots = new Map<string, number>()
  const durations = new Map<string, Histogram>()
  const lastSuccess = new Map<string, number>()
  /** Runs that had not ended when they were last seen. */
  const open = new Set<string>()
  let newest: string | null = null
  let decidedBefore = startedAt

  const count = (run: Run) => {
    ended.set(run.status, (ended.get(run.status) ?? 0) + 1)
    if (run.status === 'succeeded') lastSuccess.set(run.jobId, run.finishedAt ?? clock.now())
    if (run.durationMs === null) return
    const job = durations.has(run.jobId) || durations.size < mostJobs ? run.jobId : ''
    const histogram = durations.get(job) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 }
    const seconds = run.durationMs / 1000
    buckets.forEach((bound, index) => {
      if (seconds <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1
    })
    histogram.sum += seconds
    histogram.count++
    durations.set(job, histogram)
  }

  const countRuns = (jobs: JobsService) => {
    for (const id of open) {
      const run = jobs.runs.find(id)
      if (run?.finishedAt === null) continue
      open.delete(id)
      if (run) count(run)
    }
    const fresh: Run[] = []
    for (let offset = 0; ; offset += pageSize) {
      const { runs } = jobs.runs.list({ limit: pageSize, offset })
      const known = runs.findIndex(run => run.id === newest || run.queuedAt < startedAt)
      fresh.push(...(known < 0 ? runs : runs.slice(0, known)))
      if (known >= 0 || runs.length < pageSize) break
    }
    for (const run of fresh.toReversed()) {
      if (run.finishedAt === null) open.add(run.id)
      else count(run)
    }
    newest = fresh[0]?.id ?? newest
  }

  const countSlots = (jobs: JobsService) => {
    const now = clock.now()
    const filter = { decidedFrom: decidedBefore, decidedBefore: now, limit: mostDecided }
    for (const { outcome } of jobs.slots.ledger(filter)) slots.set(outcome, (slots.get(outcome) ?? 0) + 1)
    decidedBefore = now
  }

  const successOf = ({ runs }: JobsService, jobId: string): number => {
    const known = lastSuccess.get(jobId)
    if (known !== undefined) return known
    const [run] = runs.list({ jobId, status: 'succeeded', limit: 1, offset: 0 }).runs
    lastSuccess.set(jobId, run?.finishedAt ?? 0)
    return run?.finishedAt ?? 0
  }

  /** Everything as Prometheus reads it (text format 0.0.4). */
  return (jobs: JobsService): string => {
    countRuns(jobs)
    countSlots(jobs)
    const registered = jobs.list.all()
    const shown = registered.slice(0, mostJobs)
    const running = (status: Run['status']) => jobs.runs.list({ status, limit: 1, offset: 0 }).total
    const memory = process.memoryUsage()
    const cpu = process.cpuUsage()
    const metrics: Metric[] = [
      gauge('longhouse_info', 'The version that runs.', [[{ version }, 1]]),
      gauge('longhouse_manifest_ok', 'Whether the files are the set that runs.', [
        [{}, jobs.manifest.state().status === 'ok' ? 1 : 0],
      ]),
      gauge('longhouse_jobs', 'Registered jobs.', [
        [{ enabled: 'true' }, registered.filter(job => job.enabled).length],
        [{ enabled: 'false' }, registered.filter(job => !job.enabled).length],
      ]),
      gauge('longhouse_runs_queued', 'Runs that wait for their turn.', [[{}, running('queued')]]),
      gauge('longhouse_runs_running', 'Runs that are going.', [[{}, running('running')]]),
      {
        name: 'longhouse_runs_total',
        help: 'Runs that ended since the program started.',
        type: 'counter',
        samples: endings.map(status => [{ status }, ended.get(status) ?? 0]),
      },
      {
        name: 'longhouse_slots_total',
        help: 'Due times that were decided since the program started.',
        type: 'counter',
        samples: outcomes.map(outcome => [{ outcome }, slots.get(outcome) ?? 0]),
      },
      gauge(
        'longhouse_job_last_success_timestamp_seconds',
        'When its last run that succeeded ended; 0 when there is none.',
        shown.map(job => [{ job: job.id }, successOf(jobs, job.id) / 1000]),
      ),
      gauge(
        'longhouse_job_next_run_timestamp_seconds',
        'When it is due next; 0 when it is not.',
        shown.map(job => [{ job: job.id }, (job.nextRunAt ?? 0) / 1000]),
      ),
      {
        name: 'longhouse_run_duration_seconds',
        help: 'How long runs took that ended since the program started.',
        type: 'histogram',
        samples: [...durations].flatMap(([job, histogram]) => histogramSamples(job, histogram)),
      },
      gauge('process_resident_memory_bytes', 'Resident memory of the runtime, without runs.', [
        [{}, memory.rss],
      ]),
      gauge('nodejs_heap_used_bytes', 'Used heap of the runtime.', [[{}, memory.heapUsed]]),
      {
        name: 'process_cpu_seconds_total',
        help: 'Processor time of the runtime, without runs.',
        type: 'counter',
        samples: [[{}, (cpu.user + cpu.system) / 1e6]],
      },
      gauge('process_start_time_seconds', 'When the program started.', [[{}, startedAt / 1000]]),
    ]
    return exposition(metrics)
  }
}

const endings = ['succeeded', 'failed', 'timed_out', 'cancelled', 'interrupted'] as const
const outcomes = ['ran', 'late', 'skipped', 'missed', 'interrupted'] as const

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'gauge', samples }
}

function histogramSamples(job: string, { counts, sum, count }: Histogram): Metric['samples'] {
  return [
    ...buckets.map((le, index): Metric['samples'][number] => [
      { job, le: String(le) },
      counts[index] ?? 0,
      '_bucket',
    ]),
    [{ job, le: '+Inf' }, count, '_bucket'],
    [{ job }, sum, '_sum'],
    [{ job }, count, '_count'],
  ]
}
