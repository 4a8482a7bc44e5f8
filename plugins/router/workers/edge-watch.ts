import type { Clock } from '../../../src/clock.ts'
import type { Concern } from '../../../src/kernel/concern.ts'
import type { Logger } from '../../../src/log.ts'
import { counter, gauge, type Metric } from '../../../src/metrics/exposition.ts'
import type { EdgeTotals } from '../figures/totals.ts'
import type { EdgeLink } from './link.ts'
import type { EdgeFigures } from './messages.ts'
import type { RouteTable } from './route-table.ts'

export interface WatchOptions {
  link: EdgeLink
  totals: EdgeTotals
  clock: Clock
  log: Logger
  routes: RouteTable
}

/** A restart takes less; after that the operator should know. */
const alertAfterMs = 10_000

/** What the control plane knows of the workers of its edge: what they count, whether they have the right routes, what is wrong. */
export class EdgeWatch {
  readonly #options: WatchOptions
  /** When every worker last had the routes that it should have, on the monotonic clock. */
  #comparedAt: number
  #repairs = 0
  /** Workers that did not answer when they were last compared, and those that did not the time before either. */
  #silent: { once: ReadonlySet<number>; again: ReadonlySet<number> } = { once: new Set(), again: new Set() }
  /** Workers that have reported, with why they cannot use certificates. */
  readonly #reporting = new Map<number, readonly string[]>()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#comparedAt = options.clock.monotonic()
  }

  /** Compares what each worker has with what it should have, and sends everything again where they differ. */
  async compare(): Promise<void> {
    const { link, clock, log, routes } = this.#options
    const fingerprint = routes.fingerprint()
    const figures = (await this.collect({ compare: true })) ?? { workers: [], ended: null }
    const answered = new Set(figures.workers.map(({ pid }) => pid))
    const once = new Set(this.#servingPids().filter(pid => !answered.has(pid)))
    this.#silent = { once, again: once.intersection(this.#silent.once) }
    const astray = figures.workers.filter(each => each.fingerprint !== fingerprint)
    if (astray.length === 0) {
      if (once.size > 0 || answered.size === 0) return
      this.#comparedAt = clock.monotonic()
      return
    }
    this.#repairs++
    log.warn({ workers: astray.map(({ pid }) => pid) }, 'workers of the edge get all routes again')
    link.repair()
  }

  /** Asks the workers what they counted since the last time, and adds it up. Null when there is no answer. */
  async collect({ compare = false } = {}): Promise<EdgeFigures | null> {
    const figures = await this.#options.link.figures(compare)
    if (figures) this.count(figures)
    return figures
  }

  count(figures: EdgeFigures): void {
    const { link, totals } = this.#options
    if (figures.ended) totals.add(figures.ended, 'ended')
    for (const { pid, report, certificateFaults = [] } of figures.workers) {
      this.#reporting.set(pid, certificateFaults)
      totals.add(report, String(pid))
    }
    const alive = new Set(link.status?.workers.map(({ pid }) => pid))
    for (const pid of this.#reporting.keys()) {
      if (alive.has(pid)) continue
      this.#reporting.delete(pid)
      totals.ended(String(pid))
    }
  }

  /** What all workers counted together, and how the edge is. */
  async metrics(): Promise<Metric[]> {
    const { link, totals, clock } = this.#options
    await this.collect()
    const status = link.status
    return [
      ...totals.metrics(),
      gauge('longhouse_edge_connected', 'Whether the edge follows this control plane.', [
        [{}, status ? 1 : 0],
      ]),
      gauge(
        'longhouse_edge_workers',
        'Worker processes of the edge, by state: `starting`, `serving`, `draining`.',
        ['starting', 'serving', 'draining'].map(state => [
          { state },
          status?.workers.filter(each => each.state === state).length ?? 0,
        ]),
      ),
      gauge(
        'longhouse_edge_state_age_seconds',
        'Time since all workers were last seen to have the right routes.',
        [[{}, (clock.monotonic() - this.#comparedAt) / 1000]],
      ),
      counter('longhouse_edge_worker_crashes_total', 'Workers of the edge that ended by themselves.', [
        [{}, status?.crashes ?? 0],
      ]),
      counter('longhouse_edge_repairs_total', 'Times that workers had to get all routes again.', [
        [{}, this.#repairs],
      ]),
      gauge('longhouse_edge_certificates_unusable', 'Certificates that a worker of the edge cannot use.', [
        [{}, this.#certificateFaults().length],
      ]),
    ]
  }

  concerns(): Concern[] {
    const { failure, lostMs, status } = this.#options.link
    const found: { subject: string; summary: string; detail: string; urgency: Concern['urgency'] }[] = []
    if (lostMs !== null && lostMs > alertAfterMs)
      found.push({
        subject: 'connection',
        summary: 'The edge is not connected to the control plane',
        detail:
          'Customers are served with the last routes. Changes wait until the edge is back: look at its log.',
        urgency: 'alert',
      })
    if (failure)
      found.push({
        subject: 'orders',
        summary: 'The edge does not follow',
        detail: failure.words,
        urgency: 'alert',
      })
    if (this.#silent.again.size > 0)
      found.push({
        subject: 'silent',
        summary: 'A worker of the edge does not answer',
        detail: `Its requests may hang, and its routes may be old. End it, and another one starts: kill -9 ${[...this.#silent.again].join(' ')}`,
        urgency: 'alert',
      })
    const unusable = this.#certificateFaults()
    if (unusable.length > 0)
      found.push({
        subject: 'certificates',
        summary: 'The edge cannot use a certificate',
        detail: `${unusable.join('. ')}. The last good one of each stays in use until the worker restarts. The user of the edge must be able to read the files.`,
        urgency: 'alert',
      })
    if (status && this.#servingPids().length === 0)
      found.push({
        subject: 'workers',
        summary: 'No worker of the edge serves',
        detail: `${status.crashes} ended by themselves; the last one ${status.lastCrash ?? 'is not known'}.`,
        urgency: 'alert',
      })
    return found.map(each => ({ kind: 'edge', subdomain: null, path: '/health', ...each }))
  }

  #certificateFaults(): string[] {
    return [...new Set([...this.#reporting.values()].flat())]
  }

  #servingPids(): number[] {
    const workers = this.#options.link.status?.workers ?? []
    return workers.filter(({ state }) => state === 'serving').map(({ pid }) => pid)
  }
}
