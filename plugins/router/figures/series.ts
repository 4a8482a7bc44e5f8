import { counter, histogram, type Metric } from '../../../src/metrics/exposition.ts'
import { type InstanceReport, latencyBoundsMs } from '../contract.ts'
import { latencySamples } from './samples.ts'
import { answersOf, sum } from './sums.ts'

/** Stands for all instances without series of their own; no subdomain begins with an underscore. */
const others = '_other'
/** How often the busiest are chosen again. */
const chooseMs = 10 * 60_000

/**
 * Figures of single instances for Prometheus: of the busiest ones, and of all others together. A series never falls while it is
 * there: what was counted with the others stays there, and an instance that loses its series to a busier one begins again at zero.
 */
export class InstanceSeries {
  readonly #most: number
  readonly #monotonic: () => number
  readonly #series = new Map<string, InstanceReport>()
  /** Requests of late by subdomain: halved each time that the busiest are chosen. */
  readonly #busy = new Map<string, number>()
  #chosenAt: number

  constructor(most: number, monotonic: () => number) {
    this.#most = most
    this.#monotonic = monotonic
    this.#chosenAt = monotonic()
  }

  add(instances: readonly InstanceReport[]): void {
    for (const each of instances) {
      const { subdomain } = each
      this.#busy.set(subdomain, (this.#busy.get(subdomain) ?? 0) + answersOf(each) + each.broken)
      const mine = this.#series.has(subdomain) || this.#size < this.#most
      const name = mine ? subdomain : others
      const known = this.#series.get(name)
      this.#series.set(name, { ...(known ? sum(known, each) : each), subdomain: name })
    }
    if (this.#monotonic() - this.#chosenAt >= chooseMs) this.#choose()
  }

  metrics(): Metric[] {
    const all = [...this.#series.values()]
    return [
      counter(
        'longhouse_instance_requests_total',
        'Requests that were answered, by instance and class of status: the busiest instances, and all others as _other.',
        all.flatMap(({ subdomain, answers }) =>
          answers.map((count, index): Metric['samples'][number] => [
            { subdomain, status: `${index + 1}xx` },
            count,
          ]),
        ),
      ),
      counter(
        'longhouse_instance_bytes_total',
        'Bytes of bodies and WebSockets, by instance: in from clients, out to them.',
        all.flatMap(({ subdomain, bytesIn, bytesOut }): Metric['samples'] => [
          [{ subdomain, direction: 'in' }, bytesIn],
          [{ subdomain, direction: 'out' }, bytesOut],
        ]),
      ),
      histogram(
        'longhouse_instance_response_seconds',
        'From a request to the head of its answer, by instance.',
        all.flatMap(({ subdomain, latency }) => latencySamples({ subdomain }, latencyBoundsMs, latency)),
      ),
    ]
  }

  get #size(): number {
    return this.#series.size - (this.#series.has(others) ? 1 : 0)
  }

  /** Gives the series of quiet instances to ones that are twice as busy, so that they do not change hands all the time. */
  #choose(): void {
    this.#chosenAt = this.#monotonic()
    const busy = (subdomain: string) => this.#busy.get(subdomain) ?? 0
    const inside = [...this.#series.keys()].filter(name => name !== others)
    const outside = [...this.#busy.keys()].filter(name => !this.#series.has(name))
    inside.sort((one, other) => busy(one) - busy(other))
    outside.sort((one, other) => busy(other) - busy(one))
    for (const [index, quiet] of inside.entries()) {
      const candidate = outside[index]
      if (candidate === undefined || busy(candidate) <= 2 * busy(quiet)) break
      this.#series.delete(quiet)
      this.#series.set(candidate, nothing(candidate))
    }
    for (const [subdomain, requests] of this.#busy) {
      if (requests < 1) this.#busy.delete(subdomain)
      else this.#busy.set(subdomain, requests / 2)
    }
  }
}

function nothing(subdomain: string): InstanceReport {
  return {
    ...{ instanceId: '', subdomain, answers: [0, 0, 0, 0, 0] },
    ...{ broken: 0, refused: 0, upgraded: 0, bytesIn: 0, bytesOut: 0, inProgress: 0 },
    latency: { counts: new Array<number>(latencyBoundsMs.length + 1).fill(0), sumMs: 0 },
  }
}
