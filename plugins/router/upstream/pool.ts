import type { Socket } from 'node:net'
import { Connection } from './connection.ts'
import { Inlet } from './inlet.ts'
import { prove } from './proof.ts'
import type { UpstreamRequest } from './request.ts'

export interface PoolOptions {
  host: string
  port: number
  instanceId: string
  /** The most connections to the instance; requests beyond them wait in order. */
  mostConnections: number
  /** The most connections that are kept while idle. */
  mostIdle: number
  /** How long an idle connection is kept. */
  idleMs: number
  /** How long the instance may take to accept a connection and to identify itself on it. */
  proofMs: number
}

/** Why requests fail that are in progress when the program stops. */
export class EdgeStops extends Error {
  override name = 'EdgeStops'
}

/** Connections to one instance at one address. Each has proved that it leads there before it carries a request. */
export class UpstreamPool {
  readonly #options: PoolOptions
  /** The one used last is used next, so that those not needed become old. */
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  readonly #opening = new Set<Socket>()
  /** Requests without a connection, oldest first. Whichever connection is there first takes the oldest, so that they stay in order. */
  readonly #waiting: UpstreamRequest[] = []
  /** How many of those being opened are for those that wait. */
  #openingForAll = 0
  #sweep: NodeJS.Timeout | null = null
  #retired = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Sends a request on an idle connection or a new one; with `fresh`, on a new one that carries no other. */
  send(request: UpstreamRequest, fresh = false): void {
    const idle = fresh ? undefined : this.#takeIdle()
    if (idle) this.#carry(idle, request)
    else if (fresh) this.#open(request)
    else {
      this.#waiting.push(request)
      this.#openNext()
    }
  }

  /** Closes idle connections now, and busy ones when their requests end. */
  retire(): void {
    this.#retired = true
    for (const each of this.#idle.splice(0)) each.destroy()
    if (this.#sweep) clearTimeout(this.#sweep)
    this.#sweep = null
  }

  /** Closes every connection; requests in progress fail. */
  destroy(): void {
    this.retire()
    const error = new EdgeStops('the edge stops')
    for (const each of this.#waiting.splice(0)) each.fail(error)
    for (const each of this.#all) each.socket.destroy(error)
    for (const each of this.#opening) each.destroy(error)
  }

  get #size(): number {
    return this.#all.size + this.#opening.size
  }

  #takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop()
      if (!connection?.socket.destroyed) return connection
    }
  }

  /** Opens a connection for this request alone, or for the oldest that waits by then. */
  #open(alone?: UpstreamRequest): void {
    const { host, port, instanceId, proofMs } = this.#options
    const inlet = new Inlet({ host, port, handsOver: alone?.outgoing.maySwitch ?? false })
    const { socket } = inlet
    this.#opening.add(socket)
    if (!alone) this.#openingForAll++
    prove(inlet, instanceId, proofMs, error => {
      this.#opening.delete(socket)
      if (!alone) this.#openingForAll--
      if (error) {
        const failed = alone ?? this.#nextWaiting()
        failed?.fail(error)
        this.#openNext()
        return
      }
      const connection = new Connection(inlet, {
        freed: each => (alone ? each.destroy() : this.#freed(each)),
        gone: each => this.#gone(each),
      })
      this.#all.add(connection)
      if (alone) this.#carry(connection, alone)
      else this.#freed(connection)
    })
  }

  /** A request that was given up meanwhile leaves its connection to the next. */
  #carry(connection: Connection, request: UpstreamRequest): void {
    if (request.over) {
      this.#freed(connection)
      return
    }
    try {
      connection.carry(request)
    } catch (error) {
      request.fail(error as Error)
    }
  }

  #freed(connection: Connection): void {
    const next = this.#nextWaiting()
    if (next) {
      this.#carry(connection, next)
      return
    }
    if (this.#retired || this.#idle.length >= this.#options.mostIdle) {
      connection.destroy()
      return
    }
    connection.idleSince = performance.now()
    this.#idle.push(connection)
    this.#sweep ??= setTimeout(this.#closeOld, this.#options.idleMs).unref()
  }

  #gone(connection: Connection): void {
    if (!this.#all.delete(connection)) return
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    this.#openNext()
  }

  #openNext(): void {
    if (this.#openingForAll < this.#waiting.length && this.#size < this.#options.mostConnections) this.#open()
  }

  #nextWaiting(): UpstreamRequest | undefined {
    for (;;) {
      const next = this.#waiting.shift()
      if (!next?.over) return next
    }
  }

  #closeOld = (): void => {
    this.#sweep = null
    const now = performance.now()
    const { idleMs } = this.#options
    const old = this.#idle.findIndex(({ idleSince }) => now - idleSince < idleMs)
    for (const each of this.#idle.splice(0, old < 0 ? this.#idle.length : old)) each.destroy()
    const first = this.#idle[0]
    if (first) this.#sweep = setTimeout(this.#closeOld, idleMs - (now - first.idleSince)).unref()
  }
}
