import type { Metric } from '../../../src/metrics/exposition.ts'
import type { LatencyCounts } from '../contract.ts'

/** The samples of a histogram in seconds, each with these labels. */
export function latencySamples(
  labels: Readonly<Record<string, string>>,
  boundsMs: readonly number[],
  { counts, sumMs }: LatencyCounts,
): Metric['samples'] {
  let below = 0
  const buckets = [...boundsMs, Number.POSITIVE_INFINITY].map((ms, index): Metric['samples'][number] => {
    below += counts[index] ?? 0
    return [{ ...labels, le: ms === Number.POSITIVE_INFINITY ? '+Inf' : String(ms / 1000) }, below, '_bucket']
  })
  return [...buckets, [labels, sumMs / 1000, '_sum'], [labels, below, '_count']]
}
