import { type ClientRequest, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { Clock } from '../../../src/clock.ts'
import type { Problem } from '../../../src/http/problem.ts'
import { siteUrl } from '../../site/contract.ts'
import { controlAnswer, controlHeaders } from '../intake/control-headers.ts'
import { originReader } from '../intake/peer.ts'
import { type Refuse, refuseAs } from '../intake/refusal.tsx'
import { controlRestarting, controlTimedOut, controlUnreachable } from '../intake/unavailable.ts'
import { Holding } from '../limits/holding.ts'
import type { EdgeSettings } from '../settings.ts'

const nothingWasSent = new Set(['ECONNREFUSED', 'ENOENT', 'EAGAIN'])
/** A control plane that dies closes its connections at about the same time. */
const noticeMs = 100

/**
 * Passes requests to the control plane, which listens at a socket on this machine. While it is away, requests wait, within
 * limits. A new connection carries each: none can be closed while a request is on its way, and an operator's pages are few.
 */
export class ControlPassage {
  readonly #path: string
  readonly #clock: Clock
  readonly #holding: Holding
  readonly #holdMs: number
  readonly #responseTimeoutMs: number
  readonly #originOf: ReturnType<typeof originReader>
  readonly #refuse: Refuse
  #here = false
  #closed = false

  /** Calls `answeredHere` for each request that it answers in place of the control plane. */
  constructor(options: {
    path: string
    clock: Clock
    settings: EdgeSettings
    answeredHere(problem: Problem): void
  }) {
    const { clock, settings } = options
    this.#path = options.path
    this.#clock = clock
    this.#holdMs = settings.holdMs
    this.#responseTimeoutMs = settings.responseTimeoutMs
    this.#holding = new Holding({
      clock,
      holdMs: settings.holdMs,
      limit: settings.holdLimit,
      limitBytes: settings.holdBytes,
    })
    const { site } = settings
    const answer = refuseAs({ brand: site.brand, controlPlane: () => siteUrl(site, 'control') })
    this.#refuse = (request, response, problem) => {
      options.answeredHere(problem)
      return answer(request, response, problem)
    }
    this.#originOf = originReader(settings.site)
  }

  /** Requests that wait for the control plane. */
  get size(): number {
    return this.#holding.size
  }

  /** The control plane came or went. */
  set here(here: boolean) {
    this.#here = here
    if (here) this.#holding.release('control')
  }

  /** Refuses what waits, and waits for the control plane no longer. */
  close(): void {
    this.#closed = true
    this.#holding.releaseAll()
  }

  pass(request: IncomingMessage, response: ServerResponse): void {
    this.#pass(request, response, this.#clock.monotonic() + this.#holdMs)
  }

  #pass(request: IncomingMessage, response: ServerResponse, until: number): void {
    if (this.#here) this.#send(request, response, until)
    else this.#hold(request, response, until)
  }

  #hold(request: IncomingMessage, response: ServerResponse, until: number): void {
    // Who asks for the health wants to know it now.
    const late = this.#closed || this.#clock.monotonic() >= until || isHealth(request)
    const resume = () => this.#pass(request, response, this.#here ? until : 0)
    if (!late && this.#holding.hold('control', request, response, resume)) return
    this.#refuse(request, response, controlRestarting())
  }

  #send(request: IncomingMessage, response: ServerResponse, until: number): void {
    const { method = 'GET' } = request
    const bare =
      request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined
    const origin = this.#originOf(request, request.headers.host ?? '')
    let outgoing: ClientRequest
    try {
      outgoing = send({
        socketPath: this.#path,
        method,
        path: request.url ?? '/',
        headers: controlHeaders(request.rawHeaders, origin),
        setDefaultHeaders: false,
        agent: false,
      })
    } catch (cause) {
      this.#refuse(request, response, controlUnreachable(cause))
      return
    }
    const abandon = () => outgoing.destroy()
    response.once('close', abandon)
    // One that hangs takes connections all the same. What takes long, such as an archive that is proven, does not make it silent to
    // others. Time in which the client is slow is limited where its body is read.
    let answered = false
    let late = false
    const onSilence = async () => {
      if (!bare && !request.complete && !request.isPaused()) return
      const alive = await this.#answers()
      if (answered) return
      if (alive) outgoing.setTimeout(this.#responseTimeoutMs)
      else {
        late = true
        outgoing.destroy()
      }
    }
    outgoing.on('timeout', () => void onSilence())
    outgoing.setTimeout(this.#responseTimeoutMs)
    // Nothing of the body is read before the control plane has taken the connection, so that the request can wait.
    outgoing.once('socket', socket =>
      socket.once('connect', () => {
        if (bare) outgoing.end()
        else request.pipe(outgoing)
      }),
    )
    outgoing.once('response', answer => {
      // An answer may be silent for long: it can be a stream of events.
      answered = true
      outgoing.setTimeout(0)
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, controlAnswer(answer.rawHeaders))
      response.flushHeaders()
      answer.pipe(response)
      // An answer that was not sent whole must not look complete.
      answer.once('close', () => {
        if (!answer.complete) response.destroy()
      })
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      response.off('close', abandon)
      if (response.destroyed || response.headersSent) {
        response.destroy()
        return
      }
      if (late) {
        this.#refuse(request, response, controlTimedOut(2 * this.#responseTimeoutMs))
        return
      }
      const code = error.code ?? ''
      const repeatable = bare && (method === 'GET' || method === 'HEAD')
      if (nothingWasSent.has(code) || repeatable) this.#again(request, response, until)
      else this.#refuse(request, response, controlUnreachable(error))
    })
  }

  /** Whether the control plane answers anything at all. */
  #answers(): Promise<boolean> {
    return new Promise(resolve => {
      const headers = { host: 'localhost' }
      const probe = send({ socketPath: this.#path, method: 'HEAD', path: '/', headers, agent: false })
      probe.setTimeout(this.#responseTimeoutMs, () => probe.destroy())
      probe.once('response', answer => {
        answer.resume()
        resolve(true)
      })
      probe.on('error', () => resolve(false))
      probe.once('close', () => resolve(false))
      probe.end()
    })
  }

  /** Tries again in a moment, when it is known whether the control plane has gone. */
  #again(request: IncomingMessage, response: ServerResponse, until: number): void {
    const resume = () => this.#pass(request, response, until)
    const late = this.#clock.monotonic() >= until
    if (!late && this.#holding.hold('control', request, response, resume, noticeMs)) return
    this.#refuse(request, response, controlRestarting())
  }
}

function isHealth({ url = '' }: IncomingMessage): boolean {
  return url === '/health' || url.startsWith('/health?')
}
