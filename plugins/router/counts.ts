import type { ServerResponse } from 'node:http'
import { counter, gauge, type Metric } from '../../src/metrics/exposition.ts'

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** Counts what the edge did with requests for instances. Counting one is a few increments: it is done for every request. */
export class EdgeCounts {
  readonly #answers = [0, 0, 0, 0, 0]
  #broken = 0
  #strangers = 0
  #crowded = 0

  /** A request that was admitted is over. */
  answered({ headersSent, statusCode, writableFinished }: ServerResponse): void {
    // A tunnel ends when its connection does; it answered when its head was sent.
    if (!headersSent || (statusCode !== 101 && !writableFinished)) this.#broken++
    else {
      const index = Math.floor(statusCode / 100) - 1
      this.#answers[index] = (this.#answers[index] ?? 0) + 1
    }
  }

  /** A request for a name that no instance has. */
  stranger(): void {
    this.#strangers++
  }

  /** A request beyond a limit of simultaneous requests. */
  crowded(): void {
    this.#crowded++
  }

  metrics({ inProgress, held }: { inProgress: number; held: number }): Metric[] {
    return [
      counter(
        'longhouse_edge_requests_total',
        'Requests for instances that were answered, by class of status.',
        [
          ...classes.map((status, index): Metric['samples'][number] => [
            { status },
            this.#answers[index] ?? 0,
          ]),
        ],
      ),
      counter('longhouse_edge_broken_total', 'Requests for instances whose answer did not arrive whole.', [
        [{}, this.#broken],
      ]),
      counter(
        'longhouse_edge_refused_total',
        'Requests that no instance saw: `crowded` or `unknown-instance`.',
        [
          [{ reason: 'crowded' }, this.#crowded],
          [{ reason: 'unknown-instance' }, this.#strangers],
        ],
      ),
      gauge('longhouse_edge_requests', 'Requests for instances in progress.', [[{}, inProgress]]),
      gauge('longhouse_edge_held', 'Requests that wait for their instance to start.', [[{}, held]]),
    ]
  }
}
