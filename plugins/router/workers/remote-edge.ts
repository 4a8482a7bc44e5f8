import { rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { BootError } from '../../../src/boot-error.ts'
import type { Clock } from '../../../src/clock.ts'
import type { EntranceSettings } from '../../../src/http/entrance/entrance.ts'
import { listenAt, listenFault } from '../../../src/http/listener/server.ts'
import type { Logger } from '../../../src/log.ts'
import { version } from '../../../src/version.ts'
import type { OpenListener } from '../../site/contract.ts'
import type { InstanceReport, RouteChange } from '../contract.ts'
import type { EdgeTotals } from '../figures/totals.ts'
import type { EdgeSettings } from '../settings.ts'
import { type EdgeFolder, usableFolder } from './edge-folder.ts'
import { type EdgeProcess, startEdgeProcess, workerProgram } from './edge-process.ts'
import { EdgeWatch } from './edge-watch.ts'
import { type EdgeFailure, EdgeLink, EdgeRefused } from './link.ts'
import type { EdgeAddress, Misrouted, Orders } from './messages.ts'
import type { RouteTable } from './route-table.ts'

export interface RemoteEdgeOptions {
  settings: EdgeSettings
  totals: EdgeTotals
  workers: number
  /** `service`: something else starts and ends the edge. */
  run: 'own' | 'service'
  clock: Clock
  log: Logger
  routes: RouteTable
  misrouted(event: Misrouted): void
}

/** What an edge may take to end beyond the grace period: its supervisor kills workers 10 s after that. */
const spareMs = 15_000
/** How long an edge that was started may take until it serves. */
const startMs = 60_000

/** The edge as processes of its own, as the control plane sees it. */
export class RemoteEdge {
  readonly #options: RemoteEdgeOptions
  readonly #folder: EdgeFolder
  readonly #link: EdgeLink
  /** What it counts, and how it is. */
  readonly watch: EdgeWatch
  #orders: Orders | null = null
  #entrance: EntranceSettings | null = null
  #process: EdgeProcess | null = null
  #opening: ((error: Error) => void) | null = null
  #left: Promise<void> | null = null

  constructor(options: RemoteEdgeOptions) {
    const { clock, log, settings } = options
    this.#options = options
    this.#folder = usableFolder(settings.site.dataRoot)
    this.#link = new EdgeLink({
      edgeSocket: this.#folder.edgeSocket,
      version,
      clock,
      log,
      orders: () => this.#ordered(),
      routes: () => options.routes.changes(),
      absent: () => this.#absent(),
      misrouted: options.misrouted,
      late: figures => this.watch.count(figures),
    })
    this.watch = new EdgeWatch({ ...options, link: this.#link })
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
      close: () => this.#left ?? this.#link.close(),
    }
  }

  /** What all workers counted of each instance; what they counted since the last call comes with the next. */
  traffic(): readonly InstanceReport[] {
    void this.watch.collect()
    return this.#options.totals.instances()
  }

  /** An edge of its own drains while this process does. Another one has requests wait for the next control plane. */
  #leave(): void {
    if (this.#options.run === 'own') this.#left = this.#end()
    else this.#link.leave()
  }

  #end(): Promise<void> {
    return this.#link.end(this.#options.settings.site.drainGraceMs + spareMs)
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
      await (run === 'own' ? this.#end() : this.#link.close())
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

function faultOf(failure: EdgeFailure): string {
  if (failure.type === 'refused' || failure.code === undefined) return `the edge: ${failure.words}`
  return failure.at ? listenFault(failure.code, failure.at) : `the edge: ${failure.words}`
}
