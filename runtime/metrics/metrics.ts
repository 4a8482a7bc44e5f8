import type { Clock } from '../../src/clock.ts'
import { type JobsService, type Run, runEndings, slotOutcomes } from '../jobs/contract.ts'
import { buckets, createCounts, type Histogram, mostJobs } from './counts.ts'
import { exposition, type Metric } from './exposition.ts'

/** Returns the function that renders all metrics in Prometheus' text format 0.0.4. */
export function createMetrics({ clock, version }: { clock: Clock; version: string }) {
  const counts = createCounts(clock)
  return (jobs: JobsService): string => {
    counts.update(jobs)
    return exposition([
      gauge('longhouse_info', 'The version that runs.', [[{ version }, 1]]),
      ...jobMetrics(jobs, counts),
      ...processMetrics(counts.startedAt),
    ])
  }
}

function jobMetrics(jobs: JobsService, counts: ReturnType<typeof createCounts>): Metric[] {
  const registered = jobs.list.all()
  const shown = registered.slice(0, mostJobs)
  const running = (status: Run['status']) => jobs.runs.list({ status, limit: 1, offset: 0 }).total
  return [
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
      samples: runEndings.map(status => [{ status }, counts.ended.get(status) ?? 0]),
    },
    {
      name: 'longhouse_slots_total',
      help: 'Due times that were decided since the program started.',
      type: 'counter',
      samples: slotOutcomes.map(outcome => [{ outcome }, counts.slots.get(outcome) ?? 0]),
    },
    gauge(
      'longhouse_job_last_success_timestamp_seconds',
      'When its last run that succeeded ended; 0 when there is none.',
      shown.map(job => [{ job: job.id }, counts.successOf(jobs, job.id) / 1000]),
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
      samples: [...counts.durations].flatMap(([job, histogram]) => histogramSamples(job, histogram)),
    },
  ]
}

function processMetrics(startedAt: number): Metric[] {
  const memory = process.memoryUsage()
  const cpu = process.cpuUsage()
  return [
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
}

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
