import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '../../src/http/problem.ts'
import { AccessLog } from './access-log/access-log.ts'
import type { EdgeReport } from './contract.ts'
import { EdgeTally } from './figures/tally.ts'
import { Visit } from './figures/visit.ts'
import type { EdgeOptions } from './settings.ts'

/** Who sent a request, and which instance it names, if any. */
interface From {
  client: string
  instance: string | null
  host: string
}

/** What the edge keeps of its requests: the figures that it reports, and the access log. */
export class EdgeRecord {
  readonly #tally = new EdgeTally()
  readonly #accessLog: AccessLog | null
  /** What the edge answered itself: the codes, and the bytes of the bodies. */
  readonly #own = new WeakMap<ServerResponse, { problem: string; bytes: number }>()

  constructor(options: EdgeOptions) {
    this.#accessLog = options.accessLog && new AccessLog(options.accessLog, options)
  }

  /** A request was admitted. Tell `over` when it is over. */
  visit(instanceId: string, subdomain: string): Visit {
    return new Visit(this.#tally, this.#tally.of(instanceId, subdomain))
  }

  over(visit: Visit, request: IncomingMessage, response: ServerResponse, client: string, host: string): void {
    visit.over(response)
    if (!this.#accessLog) return
    const own = this.#own.get(response) ?? null
    this.#accessLog.passed(visit, request, { client, instance: visit.subdomain, host }, own)
  }

  /** A request was not admitted: no instance saw it. `reason` is one of a few fixed words. */
  refused(reason: string, instance?: { instanceId: string; subdomain: string }): void {
    this.#tally.refused(reason)
    if (instance) this.#tally.of(instance.instanceId, instance.subdomain).refused()
  }

  /** The edge has answered a request itself, with a body of so many bytes. */
  answeredHere(response: ServerResponse, { code }: Problem, bytes: number): void {
    this.#tally.answeredHere(code)
    if (this.#accessLog) this.#own.set(response, { problem: code, bytes })
  }

  /** A request for the control plane was answered here. */
  answeredForControl({ code }: Problem): void {
    this.#tally.answeredHere(code)
  }

  /** A request that was not admitted has been answered. */
  turnedAway(request: IncomingMessage, problem: Problem, bytesOut: number, from: From): void {
    this.#accessLog?.turnedAway(request, { ...from, problem, bytesOut })
  }

  report(held: number): EdgeReport {
    return this.#tally.report({ held, logDropped: this.#accessLog?.takeDropped() ?? 0 })
  }

  async close(): Promise<void> {
    await this.#accessLog?.close()
  }
}
