import { counter, gauge, type Metric } from './exposition.ts'

/** What every program says of itself. `startedAt` is in milliseconds of the clock. */
export function processMetrics(startedAt: number): Metric[] {
  const memory = process.memoryUsage()
  const cpu = process.cpuUsage()
  return [
    gauge('process_resident_memory_bytes', 'Resident memory of this process alone.', [[{}, memory.rss]]),
    gauge('nodejs_heap_used_bytes', 'Used heap of this process.', [[{}, memory.heapUsed]]),
    counter('process_cpu_seconds_total', 'Processor time of this process alone.', [
      [{}, (cpu.user + cpu.system) / 1e6],
    ]),
    gauge('process_start_time_seconds', 'When the program started.', [[{}, startedAt / 1000]]),
  ]
}
