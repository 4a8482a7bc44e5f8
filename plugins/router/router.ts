import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { Site } from '../../src/site.ts'
import { Backend, type Ready } from './backend.ts'
import type { Destination, RouterService } from './contract.ts'
import { type ExchangeOptions, exchange, type Passage } from './exchange.ts'
import { Holding } from './holding.ts'
import { type Origin, originReader } from './peer.ts'
import * as problems from './problems.ts'
import { loadsPage, refuse } from './refusal.tsx'
import { readTarget, type Target } from './target.ts'
import { answerOn, tunnel } from './tunnel.ts'

export interface RouterOptions {
  site: Site
  clock: Clock
  log: Logger
  /** False when another proxy routes: then only the control plane is served here. */
  routes: boolean
  responseTimeoutMs: number
  holdMs: number
  /** How many requests may wait at a time for instances that are starting. */
  holdLimit: number
  misrouted(event: { instanceId: string; subdomain: string; reason: string }): void
}

type ForInstance = Extract<Target, { kind: 'instance' }>

/** The edge: sends each request to the one instance that its host names, or says why it cannot. */
export class Router implements RouterService {
  readonly #options: RouterOptions
  readonly #backends = new Map<string, Backend>()
  readonly #holding: Holding
  readonly #originOf: (request: IncomingMessage, host: string) => Origin
  readonly #exchange: ExchangeOptions
  /** When each instance was last said to be misrouted: a nudge a second is enough. */
  readonly #nudgedAt = new WeakMap<Backend, number>()
  #stopping = false

  constructor(options: RouterOptions) {
    this.#options = options
    this.#holding = new Holding({ clock: options.clock, holdMs: options.holdMs, limit: options.holdLimit })
    this.#originOf = originReader(options.site)
    this.#exchange = {
      responseTimeoutMs: options.responseTimeoutMs,
      refuse,
      misrouted: (backend, instanceId, reason) => this.#misrouted(backend, instanceId, reason),
    }
  }

  set(subdomain: string, destination: Destination): void {
    if (!this.#options.routes || this.#stopping) return
    const backend = this.#backends.get(subdomain)
    if (backend) backend.turn(destination)
    else this.#backends.set(subdomain, new Backend(subdomain, destination))
    if (destination.state !== 'starting') this.#holding.release(subdomain)
  }

  remove(subdomain: string): void {
    this.#backends.get(subdomain)?.retire()
    this.#backends.delete(subdomain)
    this.#holding.release(subdomain)
  }

  /** Takes a request that is not for the control plane. */
  intercept(request: IncomingMessage, response: ServerResponse): boolean {
    const target = readTarget(this.#options.site, request)
    if (target.kind === 'control') return false
    if (target.kind === 'stranger' && asksForHealth(request, target.path)) return false
    if (target.kind === 'instance') this.#pass(target, request, response, true)
    else refuse(request, response, this.#refusalOf(target))
    return true
  }

  /** Takes a request to upgrade the connection that is not for the control plane. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const target = readTarget(this.#options.site, request)
    if (target.kind === 'control') return false
    const response = answerOn(socket, request)
    if (target.kind !== 'instance') refuse(request, response, this.#refusalOf(target))
    else {
      const passage = this.#passageOf(target, request, response)
      if (passage) tunnel(passage, socket, head, this.#exchange)
      else refuse(request, response, this.#unavailable(target.subdomain))
    }
    return true
  }

  /** Lets go of what would outlast the program: held requests, tunnels and event streams. */
  drain(): void {
    this.#stopping = true
    this.#holding.releaseAll()
    for (const backend of this.#backends.values()) backend.cutLasting()
  }

  stop(): void {
    this.drain()
    for (const backend of this.#backends.values()) backend.close()
    this.#backends.clear()
  }

  #pass(target: ForInstance, request: IncomingMessage, response: ServerResponse, mayHold: boolean): void {
    const passage = this.#passageOf(target, request, response)
    if (passage) {
      exchange(passage, this.#exchange)
      return
    }
    const starting = this.#backends.get(target.subdomain)?.destination.state === 'starting'
    if (starting && mayHold && !this.#stopping && !loadsPage(request)) {
      const resume = () => this.#pass(target, request, response, false)
      if (this.#holding.hold(target.subdomain, response, resume)) return
    }
    refuse(request, response, this.#unavailable(target.subdomain))
  }

  /** How the request gets through; undefined when its instance is not ready. */
  #passageOf(target: ForInstance, request: IncomingMessage, response: ServerResponse): Passage | undefined {
    const backend = this.#backends.get(target.subdomain)
    if (backend?.destination.state !== 'ready' || this.#stopping) return undefined
    const ready: Ready = backend.destination
    const origin = this.#originOf(request, target.host)
    return { request, response, backend, ready, head: target.head, origin, path: target.path }
  }

  #unavailable(subdomain: string) {
    if (this.#stopping) return problems.shuttingDown('Try again in a moment.', retryAfter(2))
    const destination = this.#backends.get(subdomain)?.destination
    if (!destination) return this.#refusalOf({ kind: 'stranger', path: '' })
    switch (destination.state) {
      case 'stopped':
        return problems.stopped(
          why(
            destination.reason,
            'Its data is kept. It answers again once it is started; the page of its owner’s account says why it stopped.',
          ),
          retryAfter(30),
        )
      case 'unhealthy':
        return problems.unhealthy(
          why(destination.reason, 'It runs but does not answer as it should; it is being watched.'),
          retryAfter(10),
        )
      default:
        return problems.starting('It will be here in a moment.', retryAfter(2))
    }
  }

  #refusalOf(target: Exclude<Target, { kind: 'control' | 'instance' }>) {
    if (target.kind === 'malformed') return target.problem
    if (!this.#options.routes) return problems.routedElsewhere('Another proxy routes to instances here.')
    return problems.unknownInstance('No instance has this address. Check how it is spelled.')
  }

  #misrouted(backend: Backend, instanceId: string, reason: string): void {
    const now = this.#options.clock.monotonic()
    if (now - (this.#nudgedAt.get(backend) ?? Number.NEGATIVE_INFINITY) < 1000) return
    this.#nudgedAt.set(backend, now)
    const { subdomain } = backend
    this.#options.log.warn({ instance: instanceId, subdomain, reason }, 'instance misrouted')
    this.#options.misrouted({ instanceId, subdomain, reason })
  }
}

/** Load balancers and uptime checks ask by address. */
function asksForHealth(request: IncomingMessage, path: string): boolean {
  return (
    (request.method === 'GET' || request.method === 'HEAD') &&
    (path === '/health' || path.startsWith('/health?'))
  )
}

function retryAfter(seconds: number) {
  return { headers: { 'Retry-After': String(seconds) } }
}

function why(reason: string | undefined, otherwise: string): string {
  return reason ? `${reason}. ${otherwise}` : otherwise
}
