import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Problem } from '../../src/http/problem.ts'
import type { Destination, EdgeReport, RouteChange, RouteRules } from './contract.ts'
import { Backend } from './exchange/backend.ts'
import { type ExchangeOptions, exchange, type Passage } from './exchange/exchange.ts'
import { answerOn, tunnel } from './exchange/tunnel.ts'
import type { Visit } from './figures/visit.ts'
import { headBytes, instanceHeaders } from './intake/headers.ts'
import { type Origin, originReader } from './intake/peer.ts'
import { loadsPage } from './intake/refusal.tsx'
import { readTarget, type Target } from './intake/target.ts'
import { crowded, longAddress, longHead, shuttingDown } from './intake/unavailable.ts'
import { Holding } from './limits/holding.ts'
import { Limits } from './limits/limits.ts'
import { OwnAnswers } from './own-answers.ts'
import { EdgeRecord } from './record.ts'
import { Rules } from './rules.ts'
import type { EdgeOptions } from './settings.ts'

type ForInstance = Extract<Target, { kind: 'instance' }>

interface Admitted {
  target: ForInstance
  origin: Origin
  visit: Visit
  /** Called when the request's body has arrived. */
  arrived(): void
  /** Called when the answer is complete here and the client has not taken all of it. */
  unread(): void
}

/** The reason that clients get when their connections end because the edge does. */
const restarting = 'The platform is restarting'

/** The most requests in progress that a plan may allow one instance. */
const mostByPlan = 10_000

/** What every instance accepts, older ones included: Node's own 16 KiB, less the request line. */
const headLimitBytes = 15.5 * 1024

/** Passes each request to the instance that its host names, or answers why it cannot. */
export class Edge {
  readonly #options: EdgeOptions
  readonly #backends = new Map<string, Backend>()
  readonly #rules: Rules
  readonly #holding: Holding
  readonly #limits: Limits
  readonly #originOf: (request: IncomingMessage, host: string) => Origin
  readonly #exchange: ExchangeOptions
  /** When each instance was last reported as misrouted: once a second is enough. */
  readonly #nudgedAt = new WeakMap<Backend, number>()
  readonly #record: EdgeRecord
  readonly #own: OwnAnswers
  #drained: Promise<void> | null = null
  /** Whether held requests go on waiting while the edge drains. */
  #holds = true
  #stopping = false
  /** Called when no request is in progress any longer. */
  #emptied: (() => void) | null = null

  constructor(options: EdgeOptions) {
    this.#options = options
    this.#rules = new Rules(options)
    this.#holding = new Holding({
      clock: options.clock,
      holdMs: options.holdMs,
      limit: options.holdLimit,
      limitBytes: options.holdBytes,
    })
    this.#limits = new Limits(options)
    this.#originOf = originReader(options.site)
    this.#record = new EdgeRecord(options)
    this.#own = new OwnAnswers({
      options,
      record: this.#record,
      originOf: this.#originOf,
      destinationOf: subdomain => this.#backends.get(subdomain)?.destination,
    })
    this.#exchange = {
      responseTimeoutMs: options.responseTimeoutMs,
      serverTiming: options.serverTiming,
      refuse: (passage, problem) => this.#refuse(passage, problem),
      closing: false,
      misrouted: (backend, instanceId, reason) => this.#misrouted(backend, instanceId, reason),
    }
  }

  /** Follows a change of the routes. */
  apply(change: RouteChange): void {
    if (!this.#options.routes || this.#stopping || !this.#holds) return
    if ('rules' in change) this.#govern(change.subdomain, change.rules)
    else if (change.destination) this.#point(change.subdomain, change.destination)
    else this.#remove(change.subdomain)
  }

  #govern(subdomain: string, rules: RouteRules): void {
    this.#limits.set(subdomain, rules.limits)
    if (!this.#rules.set(subdomain, rules)) return
    this.#backends.get(subdomain)?.closeLasting('Who may open the instance has changed')
  }

  #point(subdomain: string, destination: Destination): void {
    const backend = this.#backends.get(subdomain)
    if (backend) backend.pointTo(destination)
    else this.#backends.set(subdomain, this.#backendFor(subdomain, destination))
    if (destination.state !== 'starting') this.#holding.release(subdomain)
  }

  #remove(subdomain: string): void {
    this.#backends.get(subdomain)?.retire()
    this.#backends.delete(subdomain)
    this.#limits.forget(subdomain)
    this.#holding.release(subdomain)
  }

  /** Counts a new connection. Refuses it, and returns false, when its client has its most already. */
  takeConnection(socket: Socket, encrypted: boolean): boolean {
    const taken = this.#limits.takeConnection(socket, encrypted)
    if (!taken) this.#record.refused('client-connections')
    return taken
  }

  /** Takes a request that is not for the control plane. */
  intercept(request: IncomingMessage, response: ServerResponse): boolean {
    const target = readTarget(this.#options.site, this.#rules.hosts, request)
    if (target.kind === 'control') return false
    if (target.kind === 'stranger' && asksUs(request, target.path)) return false
    if (target.kind === 'instance') this.#admit(target, request, response)
    else this.#own.turnAway(request, response, this.#own.refusalOf(target))
    return true
  }

  /** Takes a request to upgrade the connection that is not for the control plane. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const target = readTarget(this.#options.site, this.#rules.hosts, request)
    if (target.kind === 'control') return false
    const response = answerOn(socket, request)
    if (target.kind !== 'instance') this.#own.turnAway(request, response, this.#own.refusalOf(target))
    else {
      const origin = this.#originOf(request, target.host)
      const admitted = this.#permitFor(target, origin, request, response, socket)
      if (admitted) this.#join(admitted, request, response, { socket, head }, true)
    }
    return true
  }

  /**
   * Ends everything within `graceMs`, and resolves when it is done:
   * 1. Event streams and WebSockets are closed with a reason. Other requests may end, and new ones on open connections are
   *    answered; each answer is the last on its connection.
   * 2. Held requests are refused, or with `hold` go on waiting: for an edge whose routes still follow the instances.
   * 3. What is left after the grace period is refused when its answer has not begun, else cut.
   */
  drain({ graceMs, hold = false }: { graceMs: number; hold?: boolean }): Promise<void> {
    this.#drained ??= this.#drain(graceMs, hold)
    return this.#drained
  }

  async #drain(graceMs: number, hold: boolean): Promise<void> {
    this.#exchange.closing = true
    this.#own.closing = true
    this.#holds = hold
    this.#own.stopping = !hold
    if (!hold) this.#holding.releaseAll()
    for (const backend of this.#backends.values()) backend.drain(restarting)
    if (this.#limits.size > 0) {
      const over = new AbortController()
      this.#emptied = () => over.abort()
      await this.#options.clock.sleep(graceMs, over.signal)
    }
    this.#end()
  }

  /** A request for the control plane was answered in its place. */
  answeredForControl(problem: Problem): void {
    this.#record.answeredForControl(problem)
  }

  /** What was counted since the last call. */
  report(): EdgeReport {
    return this.#record.report(this.#holding.size)
  }

  /** Ends everything at once. */
  async stop(): Promise<void> {
    this.#end()
    await this.#record.close()
  }

  #end(): void {
    this.#stopping = true
    this.#own.stopping = true
    this.#holding.releaseAll()
    this.#limits.evictPending()
    for (const backend of this.#backends.values()) backend.close()
    this.#backends.clear()
  }

  #backendFor(subdomain: string, destination: Destination): Backend {
    const { limits, responseTimeoutMs } = this.#options
    return new Backend(subdomain, destination, {
      mostSockets: Math.max(limits.perInstance, mostByPlan),
      proofMs: responseTimeoutMs,
    })
  }

  #admit(target: ForInstance, request: IncomingMessage, response: ServerResponse): void {
    const origin = this.#originOf(request, target.host)
    const admitted = this.#permitFor(target, origin, request, response, response)
    if (admitted) this.#pass(admitted, request, response, true)
  }

  /** Admits the request to the instance until `until` closes. When there is no room, refuses the request and returns null. */
  #permitFor(
    target: ForInstance,
    origin: Origin,
    request: IncomingMessage,
    response: ServerResponse,
    until: ServerResponse | Duplex,
  ): Admitted | null {
    const { subdomain } = target
    const backend = this.#backends.get(subdomain)
    if (!backend) {
      this.#record.refused('unknown-instance')
      this.#own.turnAway(request, response, this.#own.unavailable(subdomain), target, origin)
      return null
    }
    const closed = this.#rules.gateOf(subdomain)?.check(request, target)
    if (closed) {
      this.#own.turnAway(request, response, closed, target, origin)
      return null
    }
    const { instanceId } = backend.destination
    const permit = this.#limits.admit(subdomain, origin.group, request, why => {
      // It was answered, only not read.
      if (response.writableEnded) response.destroy()
      else this.#own.refuse(request, response, why === 'crowded' ? crowded() : shuttingDown())
    })
    if (permit instanceof Problem) {
      // The name of this reason is older than those of the others, which are the codes of their problems.
      const reason = permit.code === 'instance-crowded' ? 'crowded' : permit.code
      this.#record.refused(reason, { instanceId, subdomain })
      this.#own.turnAway(request, response, permit, target, origin)
      return null
    }
    const visit = this.#record.visit(instanceId, subdomain)
    until.once('close', () => {
      permit.release()
      this.#record.over(visit, request, response, origin.client, target.host)
      if (this.#emptied !== null && this.#limits.size === 0) this.#emptied()
    })
    const arrived = () => {
      permit.bodyArrived()
      visit.ready()
    }
    return { target, origin, visit, arrived, unread: permit.unread }
  }

  #pass(admitted: Admitted, request: IncomingMessage, response: ServerResponse, mayHold: boolean): void {
    const passage = this.#passageOf(admitted, request, response)
    if (!(passage instanceof Problem)) {
      let mayTakeBack = mayHold
      const takeBack = (resume = () => this.#pass(admitted, request, response, false)) => {
        if (!mayTakeBack) return false
        mayTakeBack = false
        return this.#takeBack(admitted, passage, resume)
      }
      exchange({ ...passage, takeBack }, this.#exchange)
      return
    }
    const resume = () => this.#pass(admitted, request, response, false)
    if (mayHold && !loadsPage(request) && this.#hold(admitted, request, response, resume)) return
    this.#refuse({ request, response, unread: admitted.unread }, passage)
  }

  #join(
    admitted: Admitted,
    request: IncomingMessage,
    response: ServerResponse,
    connection: { socket: Duplex; head: Buffer },
    mayHold: boolean,
  ): void {
    const passage = this.#passageOf(admitted, request, response)
    if (!(passage instanceof Problem)) {
      tunnel(passage, connection.socket, connection.head, this.#exchange)
      return
    }
    const resume = () => this.#join(admitted, request, response, connection, false)
    if (mayHold && this.#hold(admitted, request, response, resume)) return
    this.#refuse({ request, response, unread: admitted.unread }, passage)
  }

  /** Holds a request while its instance starts. Returns false when it cannot be held. */
  #hold(
    { target, visit }: Admitted,
    request: IncomingMessage,
    response: ServerResponse,
    resume: () => void,
  ): boolean {
    if (!this.#mayHold || this.#backends.get(target.subdomain)?.destination.state !== 'starting') return false
    return this.#holding.hold(target.subdomain, request, response, () => {
      visit.ready()
      resume()
    })
  }

  /** An instance that is being replaced drops connections: no request fails for that. */
  #takeBack(admitted: Admitted, { ready, request, response }: Passage, again: () => void) {
    if (!this.#mayHold || response.destroyed) return false
    const destination = this.#backends.get(admitted.target.subdomain)?.destination
    if (destination?.state === 'starting') return this.#hold(admitted, request, response, again)
    const moved =
      destination?.state === 'ready' && (destination.host !== ready.host || destination.port !== ready.port)
    if (moved) again()
    return moved
  }

  /** The passage to the instance, or why there is none. */
  #passageOf(
    { target, origin, visit, arrived, unread }: Admitted,
    request: IncomingMessage,
    response: ServerResponse,
  ): Passage | Problem {
    const backend = this.#backends.get(target.subdomain)
    if (backend?.destination.state !== 'ready') return this.#own.unavailable(target.subdomain)
    const ready = backend.destination
    const headers = instanceHeaders(request.rawHeaders, target.head, origin, ready.instanceId)
    if (headBytes(headers) + target.path.length > headLimitBytes) {
      return target.path.length > headLimitBytes / 2
        ? longAddress(headLimitBytes / 2)
        : longHead(headLimitBytes, headers)
    }
    const bodyBytes = this.#limits.bodyBytesOf(target.subdomain)
    const unavailable = () => this.#own.unavailable(target.subdomain)
    return {
      request,
      response,
      backend,
      ready,
      headers,
      path: target.path,
      bodyBytes,
      visit,
      arrived,
      unread,
      unavailable,
    }
  }

  get #mayHold(): boolean {
    return this.#holds && !this.#stopping
  }

  /** Refuses a request that was admitted. Of a refusal that is not read, the place is free for others. */
  #refuse({ request, response, unread }: Pick<Passage, 'request' | 'response' | 'unread'>, problem: Problem) {
    this.#own.refuse(request, response, problem)
    if (response.writableLength > 0) unread()
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

/** Load balancers and uptime checks request /health by IP address, and so does the proxy in front with its questions. */
export function asksUs(request: IncomingMessage, path: string): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  return path === '/health' || path.startsWith('/health?') || path.startsWith('/internal/tls-ask?')
}
