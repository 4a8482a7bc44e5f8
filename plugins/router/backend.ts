import { Agent, type ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Destination } from './contract.ts'

export type Ready = Extract<Destination, { state: 'ready' }>

interface PooledSocket extends Socket {
  /** What had been read from it when its present request got it. */
  readBefore?: number
}

/** Keeps connections to one instance, shorter than instances keep them. */
class ConnectionPool extends Agent {
  constructor() {
    super({ keepAlive: true, maxSockets: 1024, maxFreeSockets: 128, timeout: 30_000 })
  }

  override reuseSocket(socket: PooledSocket, request: ClientRequest): void {
    super.reuseSocket(socket, request)
    socket.readBefore = socket.bytesRead
  }

  /** Closes idle connections now, and the others when their requests are done. */
  retire(): void {
    this.maxFreeSockets = 0
    for (const sockets of Object.values(this.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy()
    }
  }
}

/** True when the connection had been used before and was closed without a byte of an answer to this request. */
export function closedWhileIdle(request: ClientRequest): boolean {
  const socket = request.socket as PooledSocket | null
  return request.reusedSocket && socket !== null && socket.bytesRead === socket.readBefore
}

/** One subdomain's instance: where it is now, and what is open to it. */
export class Backend {
  readonly subdomain: string
  #destination: Destination
  #pool = new ConnectionPool()
  #address = ''
  readonly #lasting = new Set<{ destroy(): unknown }>()

  constructor(subdomain: string, destination: Destination) {
    this.subdomain = subdomain
    this.#destination = destination
    this.#address = addressOf(destination)
  }

  get destination(): Destination {
    return this.#destination
  }

  get pool(): Agent {
    return this.#pool
  }

  /**
   * Points it elsewhere. Connections that would outlast the change are cut; ordinary requests may end. An instance
   * that is unhealthy keeps what it has: it is where it was, and may be well again a moment later.
   */
  turn(destination: Destination): void {
    const stays =
      destination.instanceId === this.#destination.instanceId &&
      (destination.state === 'unhealthy' || addressOf(destination) === this.#address)
    this.#destination = destination
    if (stays) return
    this.#address = addressOf(destination)
    this.#pool.retire()
    this.#pool = new ConnectionPool()
    this.cutLasting()
  }

  /** Registers what does not end by itself: tunnels and event streams. Returns what forgets it again. */
  keep(lasting: { destroy(): unknown }): () => void {
    this.#lasting.add(lasting)
    return () => this.#lasting.delete(lasting)
  }

  cutLasting(): void {
    for (const each of this.#lasting) each.destroy()
    this.#lasting.clear()
  }

  /** Lets requests that are going on end, and nothing else. */
  retire(): void {
    this.cutLasting()
    this.#pool.retire()
  }

  close(): void {
    this.cutLasting()
    this.#pool.destroy()
  }
}

function addressOf(destination: Destination): string {
  return destination.state === 'ready' ? `${destination.host} ${destination.port}` : ''
}
