import type { Clock } from '../../src/clock.ts'
import { counter, exposition, gauge, type Metric } from '../../src/metrics/exposition.ts'
import { processMetrics } from '../../src/metrics/process.ts'
import { type JobsService, type Run, runEndings, slotOutcomes } from '../jobs/contract.ts'
import { createCounts, mostJobs } from './counts.ts'

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
    counter(
      'longhouse_runs_total',
      'Runs that ended since the program started.',
      runEndings.map(status => [{ status }, counts.ended.get(status) ?? 0]),
    ),
    counter(
      'longhouse_slots_total',
      'Due times that were decided since the program started.',
      slotOutcomes.map(outcome => [{ outcome }, counts.slots.get(outcome) ?? 0]),
    ),
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
      samples: [...counts.durations].flatMap(([job, histogram]) => histogram.samples({ job })),
    },
  ]
}
