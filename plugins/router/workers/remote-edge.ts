import { rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { BootError } from '../../../src/boot-error.ts'
import type { Clock } from '../../../src/clock.ts'
import type { EntranceSettings } from '../../../src/http/entrance/entrance.ts'
import { listenAt, listenFault } from '../../../src/http/listener/server.ts'
import type { Concern } from '../../../src/kernel/concern.ts'
import type { Logger } from '../../../src/log.ts'
import { counter, gauge, type Metric } from '../../../src/metrics/exposition.ts'
import { version } from '../../../src/version.ts'
import type { OpenListener } from '../../site/contract.ts'
import type { InstanceReport, RouteChange } from '../contract.ts'
import type { EdgeTotals } from '../figures/totals.ts'
import type { EdgeSettings } from '../settings.ts'
import { type EdgeFolder, edgeFolder } from './edge-folder.ts'
import { type EdgeProcess, startEdgeProcess, workerProgram } from './edge-process.ts'
import { type EdgeFailure, EdgeLink, EdgeRefused } from './link.ts'
import type { EdgeAddress, EdgeFigures, Misrouted, Orders } from './messages.ts'
import { RouteTable } from './route-table.ts'

export interface RemoteEdgeOptions {
  settings: EdgeSettings
  totals: EdgeTotals
  workers: number
  /** `service`: something else starts and ends the edge. */
  run: 'own' | 'service'
  clock: Clock
  log: Logger
  routes(): readonly RouteChange[]
  misrouted(event: Misrouted): void
}

/** How long an edge that was started may take until it serves. */
const startMs = 60_000
/** A restart takes less; after that the operator should know. */
const alertAfterMs = 10_000

/** The edge as processes of its own, as the control plane sees it. */
export class RemoteEdge {
  readonly #options: RemoteEdgeOptions
  readonly #folder: EdgeFolder
  readonly #link: EdgeLink
  #orders: Orders | null = null
  #entrance: EntranceSettings | null = null
  #process: EdgeProcess | null = null
  #opening: ((error: Error) => void) | null = null
  /** When every worker last had the routes that it should have, on the monotonic clock. */
  #comparedAt: number
  #repairs = 0
  #left: Promise<void> | null = null
  /** Workers that did not answer when they were last compared, and those that did not the time before either. */
  #silent: { once: ReadonlySet<number>; again: ReadonlySet<number> } = { once: new Set(), again: new Set() }
  /** Workers that have reported. */
  readonly #reporting = new Set<number>()

  constructor(options: RemoteEdgeOptions) {
    const { clock, log, settings } = options
    this.#options = options
    this.#folder = usableFolder(settings.site.dataRoot)
    this.#comparedAt = clock.monotonic()
    this.#link = new EdgeLink({
      edgeSocket: this.#folder.edgeSocket,
      version,
      clock,
      log,
      orders: () => this.#ordered(),
      routes: options.routes,
      absent: () => this.#absent(),
      misrouted: options.misrouted,
      late: figures => this.#count(figures),
    })
  }

  /** Sends a change to every worker. It is not waited for: changes arrive in order. */
  change(change: RouteChange): void {
    this.#link.change(change)
  }

  /** Has the control plane's server listen for the workers, and the edge serve. */
  async open(server: Server, entrance: EntranceSettings): Promise<OpenListener> {
    this.#entrance = entrance
    const { controlSocket } = this.#folder
    // The data root is locked: what is there was left by a process that died.
    rmSync(controlSocket, { force: true })
    try {
      await listenAt(server, { path: controlSocket })
    } catch (error) {
      throw new BootError([
        `LONGHOUSE_DATA_ROOT: cannot listen at ${controlSocket}: ${(error as Error).message}`,
      ])
    }
    let ports: Ports
    try {
      ports = await this.#serving()
    } catch (error) {
      server.close()
      throw error
    }
    return {
      ...ports,
      leave: () => this.#leave(),
      close: () => this.#left ?? this.#link.close(false),
    }
  }

  /** Compares what each worker has with what it should have, and sends everything again where they differ. */
  async compare(): Promise<void> {
    const wanted = new RouteTable()
    for (const change of this.#options.routes()) wanted.apply(change)
    const fingerprint = wanted.fingerprint()
    const figures = (await this.#collect({ compare: true })) ?? { workers: [], ended: null }
    const answered = new Set(figures.workers.map(({ pid }) => pid))
    const once = new Set(this.#servingPids().filter(pid => !answered.has(pid)))
    this.#silent = { once, again: once.intersection(this.#silent.once) }
    const astray = figures.workers.filter(each => each.fingerprint !== fingerprint)
    if (astray.length === 0) {
      if (once.size > 0 || answered.size === 0) return
      this.#comparedAt = this.#options.clock.monotonic()
      return
    }
    this.#repairs++
    this.#options.log.warn(
      { workers: astray.map(({ pid }) => pid) },
      'workers of the edge get all routes again',
    )
    this.#link.repair()
  }

  /** What all workers counted together, and how the edge is. */
  async metrics(): Promise<Metric[]> {
    const { clock } = this.#options
    await this.#collect()
    const status = this.#link.status
    return [
      ...this.#options.totals.metrics(),
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
    ]
  }

  /** What all workers counted of each instance; what they counted since the last call comes with the next. */
  traffic(): readonly InstanceReport[] {
    void this.#collect()
    return this.#options.totals.instances()
  }

  concerns(): Concern[] {
    const { failure, lostMs, status } = this.#link
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
    if (status && this.#servingPids().length === 0)
      found.push({
        subject: 'workers',
        summary: 'No worker of the edge serves',
        detail: `${status.crashes} ended by themselves; the last one ${status.lastCrash ?? 'is not known'}.`,
        urgency: 'alert',
      })
    return found.map(each => ({ kind: 'edge', subdomain: null, path: '/health', ...each }))
  }

  /** An edge of its own drains while this process does. Another one has requests wait for the next control plane. */
  #leave(): void {
    if (this.#options.run === 'own') this.#left = this.#link.close(true)
    else this.#link.leave()
  }

  async #collect({ compare = false } = {}): Promise<EdgeFigures | null> {
    const figures = await this.#link.figures(compare)
    if (figures) this.#count(figures)
    return figures
  }

  #servingPids(): number[] {
    const workers = this.#link.status?.workers ?? []
    return workers.filter(({ state }) => state === 'serving').map(({ pid }) => pid)
  }

  #count(figures: EdgeFigures): void {
    if (figures.ended) this.#options.totals.add(figures.ended, 'ended')
    for (const { pid, report } of figures.workers) {
      this.#reporting.add(pid)
      this.#options.totals.add(report, String(pid))
    }
    const alive = new Set(this.#link.status?.workers.map(({ pid }) => pid))
    for (const pid of this.#reporting) {
      if (alive.has(pid)) continue
      this.#reporting.delete(pid)
      this.#options.totals.ended(String(pid))
    }
  }

  #ordered(): Orders {
    const { settings, workers } = this.#options
    const entrance = this.#entrance
    if (!entrance) throw new Error('the edge is asked for before it is open')
    // As they were at first: the site's port is another one once the system has chosen it.
    this.#orders ??= {
      program: workerProgram(),
      workers,
      addresses: addressesOf(entrance),
      entrance,
      settings: { ...settings, site: { ...settings.site } },
    }
    return this.#orders
  }

  /** The port at which the edge serves. An edge that others start may come later. */
  async #serving(): Promise<Ports> {
    const { run, log, settings } = this.#options
    const served = this.#link.open()
    const givenUp = new AbortController()
    const waiting: Promise<readonly number[]>[] = [served]
    if (run === 'own') {
      waiting.push(
        new Promise((_, reject) => {
          this.#opening = reject
          const late = () => reject(new Error('the edge did not start in time; its messages are in this log'))
          void this.#options.clock.sleep(startMs, givenUp.signal).then(late)
        }),
      )
    } else {
      served.catch(() => undefined)
      const known = this.#options.clock
        .sleep(patienceMs, givenUp.signal)
        .then(() => [settings.site.port, settings.site.tls?.port ?? 0])
      waiting.push(known)
    }
    try {
      const [port = settings.site.port, securePort = null] = await Promise.race(waiting)
      if (this.#link.status === null)
        log.warn('the edge is not there yet; customers cannot be served before it is')
      return { port, securePort: settings.site.tls ? securePort : null }
    } catch (error) {
      await this.#link.close(run === 'own')
      throw new BootError([error instanceof EdgeRefused ? faultOf(error.failure) : (error as Error).message])
    } finally {
      this.#opening = null
      givenUp.abort()
    }
  }

  #absent(): void {
    if (this.#options.run === 'service' || this.#process) return
    const { settings, log } = this.#options
    const started = startEdgeProcess(settings.site.dataRoot, log.level)
    this.#process = started
    void started.exited.then(code => {
      this.#process = null
      this.#opening?.(new Error(`the edge ended at its start (${code}); its messages are above`))
    })
  }
}

/** How long a control plane waits for an edge that others start. It goes on without. */
const patienceMs = 5000

interface Ports {
  port: number
  securePort: number | null
}

/** In the order of the doors of an entrance. */
function addressesOf({ host, port, secure }: EntranceSettings): EdgeAddress[] {
  const plain = { host, port, setting: 'LONGHOUSE_PORT' }
  return secure ? [plain, { host, port: secure.port, setting: 'TLS_PORT' }] : [plain]
}

function usableFolder(dataRoot: string): EdgeFolder {
  try {
    return edgeFolder(dataRoot)
  } catch (error) {
    throw new BootError([`LONGHOUSE_DATA_ROOT: ${(error as Error).message}`])
  }
}

function faultOf(failure: EdgeFailure): string {
  if (failure.type === 'refused' || failure.code === undefined) return `the edge: ${failure.words}`
  return failure.at ? listenFault(failure.code, failure.at) : `the edge: ${failure.words}`
}
