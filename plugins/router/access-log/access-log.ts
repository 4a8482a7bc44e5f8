import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import type { Visit } from '../figures/visit.ts'
import { requestIdOf } from '../intake/request-id.ts'
import type { AccessLogSettings } from '../settings.ts'
import { accessLine } from './line.ts'
import { Lines } from './lines.ts'

/** What is known of a request that was refused before it was admitted. */
interface TurnedAway {
  client: string
  instance: string | null
  host: string
  problem: { code: string; status: number }
  /** Of the body that the edge answered with. */
  bytesOut: number
}

/** Tells of requests for instances, one line each. A line is made only for those that are logged. */
export class AccessLog {
  readonly #settings: AccessLogSettings
  readonly #clock: Clock
  readonly #lines: Lines

  constructor(settings: AccessLogSettings, { clock, log }: { clock: Clock; log: Logger }) {
    this.#settings = settings
    this.#clock = clock
    this.#lines = new Lines(settings.file, log)
  }

  /** An admitted request is over. `own` is what the edge answered itself: the code of the problem, and the bytes of the body. */
  passed(
    visit: Visit,
    request: IncomingMessage,
    from: { client: string; instance: string; host: string },
    own: { problem: string; bytes: number } | null,
  ): void {
    const { status, complete } = visit
    if (!this.#wants(status >= 500 || !complete)) return
    const durationMs = performance.now() - visit.startedAt
    const { bytesIn, upstreamMs } = visit
    // What an instance sent before the edge answered in its place did not go out.
    const bytesOut = own?.bytes || visit.bytesOut
    const problem = own?.problem ?? null
    this.#write(request, { ...from, problem, status, complete, bytesIn, bytesOut, durationMs, upstreamMs })
  }

  turnedAway(request: IncomingMessage, { problem: { code, status }, ...from }: TurnedAway): void {
    if (!this.#wants(status >= 500)) return
    const nothing = { complete: true, bytesIn: 0, durationMs: 0, upstreamMs: null }
    this.#write(request, { ...from, ...nothing, status, problem: code })
  }

  /** How many lines a slow disk or reader has cost since the last call. */
  takeDropped(): number {
    return this.#lines.takeDropped()
  }

  close(): Promise<void> {
    return this.#lines.close()
  }

  #wants(failed: boolean): boolean {
    const { sample, everyError } = this.#settings
    return sample >= 1 || (failed && everyError) || (sample > 0 && Math.random() < sample)
  }

  #write(request: IncomingMessage, known: Omit<Parameters<typeof accessLine>[0], FromRequest>): void {
    const { format, query } = this.#settings
    const { headers, httpVersion, method = '', url = '' } = request
    const entry = {
      ...known,
      at: this.#clock.now() - known.durationMs,
      requestId: requestIdOf(request),
      method,
      target: url,
      httpVersion,
      referrer: headers.referer,
      userAgent: headers['user-agent'],
    }
    this.#lines.write(accessLine(entry, format, query))
  }
}

type FromRequest = 'at' | 'requestId' | 'method' | 'target' | 'httpVersion' | 'referrer' | 'userAgent'
