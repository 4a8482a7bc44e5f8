import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../../src/clock.ts'
import type { PluginMetrics } from '../../src/kernel/plugin.ts'
import type { Logger } from '../../src/log.ts'
import { gauge, type Metric } from '../../src/metrics/exposition.ts'
import { processMetrics } from '../../src/metrics/process.ts'
import type { CheckResult } from '../health/contract.ts'

/** Figures of the program as a whole, beside those of its plugins. */
export function programMetrics(options: { clock: Clock; version: string; dataRoot: string }) {
  const { clock, version, dataRoot } = options
  const startedAt = clock.now()
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()

  /** Since the last reading, so that one bad moment is seen once and not averaged away. */
  const eventLoop = (): Metric[] => {
    const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0)
    const help = 'How late the event loop was, since these metrics were read last:'
    const metrics = [
      gauge('nodejs_eventloop_lag_p50_seconds', `${help} median.`, [[{}, seconds(delay.percentile(50))]]),
      gauge('nodejs_eventloop_lag_p99_seconds', `${help} 99th percentile.`, [
        [{}, seconds(delay.percentile(99))],
      ]),
      gauge('nodejs_eventloop_lag_max_seconds', `${help} maximum.`, [[{}, seconds(delay.max)]]),
    ]
    delay.reset()
    return metrics
  }

  return {
    /** All figures, each metric once. A plugin that cannot give its own is one that is down. */
    read: async (
      plugins: readonly PluginMetrics[],
      checks: ReadonlyMap<string, CheckResult>,
      log: Logger,
    ): Promise<Metric[]> => {
      for (const { plugin, error } of plugins)
        if (error) log.error({ err: error, plugin }, 'a plugin could not give its metrics')
      return [
        gauge('longhouse_info', 'The version that runs.', [[{ version }, 1]]),
        gauge(
          'longhouse_check_ok',
          'Whether each check of /health passes.',
          [...checks].map(([check, { status }]) => [{ check }, status === 'ok' ? 1 : 0]),
        ),
        gauge(
          'longhouse_collector_ok',
          'Whether each part of the program could give its metrics.',
          plugins.map(({ plugin, error }) => [{ plugin }, error ? 0 : 1]),
        ),
        gauge(
          'longhouse_task_last_success_timestamp_seconds',
          'When the last round of each periodic task that did not fail ended; 0 when there is none.',
          plugins.flatMap(({ plugin, tasks }) =>
            tasks.map(({ task, succeededAt }): Metric['samples'][number] => [
              { task: `${plugin}:${task}` },
              (succeededAt ?? 0) / 1000,
            ]),
          ),
        ),
        ...plugins.flatMap(({ metrics }) => metrics),
        ...(await diskMetrics(dataRoot)),
        ...eventLoop(),
        ...processMetrics(startedAt),
      ]
    },
    stop: () => {
      delay.disable()
    },
  }
}

async function diskMetrics(dataRoot: string): Promise<Metric[]> {
  const { bsize, blocks, bavail } = await statfs(dataRoot)
  const database = await stat(join(dataRoot, '.control', 'longhouse.db')).catch(() => null)
  return [
    gauge('longhouse_data_root_bytes', 'Size of the disk with the data root.', [[{}, blocks * bsize]]),
    gauge('longhouse_data_root_free_bytes', 'What is free on it for Longhouse.', [[{}, bavail * bsize]]),
    ...(database
      ? [gauge('longhouse_database_bytes', 'Size of the file with the records.', [[{}, database.size]])]
      : []),
  ]
}
