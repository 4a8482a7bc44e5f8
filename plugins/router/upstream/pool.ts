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
  readonly #waiting: UpstreamRequest[] = []
  #sweep: NodeJS.Timeout | null = null
  #retired = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Sends a request on an idle connection or a new one; with `fresh`, on a new one that carries no other. */
  send(request: UpstreamRequest, fresh = false): void {
    const idle = fresh ? undefined : this.#takeIdle()
    if (idle) this.#carry(idle, request)
    else if (fresh || this.#size < this.#options.mostConnections) this.#open(request, fresh)
    else this.#waiting.push(request)
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

  #open(request: UpstreamRequest, fresh: boolean): void {
    const { host, port, instanceId, proofMs } = this.#options
    const inlet = new Inlet({ host, port, handsOver: request.outgoing.maySwitch ?? false })
    const { socket } = inlet
    this.#opening.add(socket)
    prove(inlet, instanceId, proofMs, error => {
      this.#opening.delete(socket)
      if (error) {
        request.fail(error)
        this.#next()
        return
      }
      const connection = new Connection(inlet, {
        freed: each => (fresh ? each.destroy() : this.#freed(each)),
        gone: each => this.#gone(each),
      })
      this.#all.add(connection)
      this.#carry(connection, request)
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
    this.#next()
  }

  #next(): void {
    if (this.#waiting.length === 0 || this.#size >= this.#options.mostConnections) return
    const next = this.#nextWaiting()
    if (next) this.#open(next, false)
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
