import type { Clock } from '../../../src/clock.ts'
import { counter, gauge, histogram, type Metric } from '../../../src/metrics/exposition.ts'
import { addedBoundsMs, type EdgeReport, type InstanceReport, type LatencyCounts } from '../contract.ts'
import { latencySamples } from './samples.ts'
import { InstanceSeries } from './series.ts'
import { addTo, countBy, sum, sumLatency } from './sums.ts'

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** Of more instances than these, those without a request for longest are forgotten. */
const mostInstances = 10_000

/** What edges reported since the control plane started, summed up. */
export class EdgeTotals {
  readonly #instances = new Map<string, InstanceReport>()
  readonly #refused = new Map<string, number>([
    ['crowded', 0],
    ['client-crowded', 0],
    ['client-connections', 0],
    ['client-rate', 0],
    ['instance-rate', 0],
    ['too-large', 0],
    ['unknown-instance', 0],
  ])
  readonly #answers = [0, 0, 0, 0, 0]
  readonly #problems = new Map<string, number>()
  readonly #series: InstanceSeries | null
  #broken = 0
  #logDropped = 0
  #added: LatencyCounts = { counts: new Array<number>(addedBoundsMs.length + 1).fill(0), sumMs: 0 }
  /** By edge: what was held, and in progress for each instance, when it reported last. */
  readonly #levels = new Map<string, { held: number; inProgress: Map<string, number> }>()

  /** `series` is for how many instances there are metrics of their own; none when it is 0. */
  constructor({ series, clock }: { series: number; clock: Clock }) {
    this.#series = series > 0 ? new InstanceSeries(series, () => clock.monotonic()) : null
  }

  /** Adds one edge's report. `edge` names the process that it is from. */
  add(report: EdgeReport, edge = 'edge'): void {
    countBy(this.#refused, report.refused)
    countBy(this.#problems, report.problems)
    this.#logDropped += report.logDropped
    this.#added = sumLatency(this.#added, report.added)
    const inProgress = new Map<string, number>()
    for (const each of report.instances) {
      if (each.inProgress > 0) inProgress.set(each.instanceId, each.inProgress)
      addTo(this.#answers, each.answers)
      this.#broken += each.broken
      const known = this.#instances.get(each.instanceId)
      this.#instances.delete(each.instanceId)
      this.#instances.set(each.instanceId, known ? sum(known, each) : each)
    }
    for (const id of this.#instances.keys()) {
      if (this.#instances.size <= mostInstances) break
      this.#instances.delete(id)
    }
    this.#series?.add(report.instances)
    this.#levels.set(edge, { held: report.held, inProgress })
  }

  /** An edge has ended: nothing of it is in progress. */
  ended(edge: string): void {
    this.#levels.delete(edge)
  }

  /** Of each instance since the control plane started, and what is in progress now. */
  instances(): InstanceReport[] {
    return [...this.#instances.values()].map(each => ({
      ...each,
      inProgress: this.#level(({ inProgress }) => inProgress.get(each.instanceId) ?? 0),
    }))
  }

  metrics(): Metric[] {
    const inProgress = ({ inProgress }: { inProgress: Map<string, number> }) =>
      [...inProgress.values()].reduce((all, count) => all + count, 0)
    return [
      counter(
        'longhouse_edge_requests_total',
        'Requests for instances that were answered, by class of status.',
        classes.map((status, index) => [{ status }, this.#answers[index] ?? 0]),
      ),
      counter('longhouse_edge_broken_total', 'Requests for instances whose answer did not arrive whole.', [
        [{}, this.#broken],
      ]),
      counter(
        'longhouse_edge_refused_total',
        'Requests that no instance saw, by reason.',
        [...this.#refused].map(([reason, count]) => [{ reason }, count]),
      ),
      counter(
        'longhouse_edge_problems_total',
        'Requests that the edge answered itself, by the code of the problem.',
        [...this.#problems].map(([problem, count]) => [{ problem }, count]),
      ),
      histogram(
        'longhouse_edge_added_seconds',
        'How long requests waited in the edge, from when they could be passed on until they were.',
        latencySamples({}, addedBoundsMs, this.#added),
      ),
      counter('longhouse_edge_log_dropped_total', 'Lines of the access log that were dropped.', [
        [{}, this.#logDropped],
      ]),
      gauge('longhouse_edge_requests', 'Requests for instances in progress.', [
        [{}, this.#level(inProgress)],
      ]),
      gauge(
        'longhouse_edge_held',
        'Requests that wait for their instance to start, or for the control plane.',
        [[{}, this.#level(({ held }) => held)]],
      ),
      ...(this.#series?.metrics() ?? []),
    ]
  }

  #level(of: (edge: { held: number; inProgress: Map<string, number> }) => number): number {
    let all = 0
    for (const each of this.#levels.values()) all += of(each)
    return all
  }
}

/** The reports of several edges at one moment, as one. */
export function mergeReports([first, ...others]: readonly [EdgeReport, ...EdgeReport[]]): EdgeReport {
  const instances = new Map(first.instances.map(each => [each.instanceId, each]))
  const refused = new Map(Object.entries(first.refused))
  const problems = new Map(Object.entries(first.problems))
  let { added, held, logDropped } = first
  for (const other of others) {
    countBy(refused, other.refused)
    countBy(problems, other.problems)
    logDropped += other.logDropped
    added = sumLatency(added, other.added)
    held += other.held
    for (const each of other.instances) {
      const known = instances.get(each.instanceId)
      instances.set(each.instanceId, known ? sum(known, each) : each)
    }
  }
  return {
    refused: Object.fromEntries(refused),
    problems: Object.fromEntries(problems),
    ...{ added, held, logDropped },
    instances: [...instances.values()],
  }
}
