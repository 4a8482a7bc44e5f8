import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  badRequest,
  expectationFailed,
  headTooLarge,
  httpVersion,
  methodNotAllowed,
  type Problem,
  tooLarge,
  tooSlow,
} from '../problem.ts'
import { answering, follow } from './answering.ts'
import { headerLimitBytes, holdsCookies, mostFields, overflowProblem } from './head-overflow.ts'
import { lingerAfter } from './linger.ts'
import { refusalParts, refuseRaw } from './raw-refusal.ts'
import { defaultBodyRate, hasBody, limitStall } from './stall.ts'

/**
 * How long a connection may be idle. Proxies in front keep theirs for up to two minutes (Caddy 120 s, cloudflared and
 * Traefik 90 s, nginx 60 s); if the other side closes first, they may send a request into a closed connection. So
 * servers here wait longer than any of them, and the edge closes its connections to instances well before an instance
 * does. Both programs use these values.
 */
export const idle = { serverMs: 130_000, poolMs: 30_000 }

/** How long the head of a request may take. */
export const headMs = 60_000

export interface ListenerOptions {
  /**
   * Asked for each new connection, before anything is read from it. After false nothing ever is: it was refused. One that is
   * `encrypted` can only be closed.
   */
  connection?(socket: Socket, encrypted: boolean): boolean
  answer(request: IncomingMessage, response: ServerResponse): void
  /** Handles a request that waits for `100 Continue`, and has to send that. */
  expect(request: IncomingMessage, response: ServerResponse): void
  /** Returns true if it took the connection. Otherwise the request gets an ordinary response. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** Headers of responses sent before the program is called. */
  named?: Readonly<Record<string, string>>
  /** Renders a refusal as an HTML page, for browsers that never reach the program's own pages. */
  page?(problem: Problem): string
  /** The minimum rate of a request body, in bytes a second; 0 for none. */
  bodyRate?: number
}

/**
 * The HTTP server of both programs: the edge and an instance refuse the same requests in the same way. A request is
 * read in one way here, or refused.
 */
export function createListener(options: ListenerOptions): Server {
  const { named = {}, bodyRate = defaultBodyRate } = options
  const server = createServer({
    // The request handler answers a missing Host, with a message.
    requireHostHeader: false,
    maxHeaderSize: headerLimitBytes,
    optimizeEmptyRequests: true,
    // The limit is for the head only. A limit for the whole request would end long uploads; a stalled body is ended
    // below.
    headersTimeout: headMs,
    requestTimeout: 0,
    keepAliveTimeout: idle.serverMs,
    // We do not serve HTTP/2 without TLS, and clients that offer it expect an ordinary response.
    shouldUpgradeCallback: request => {
      if (options.upgrade !== undefined && request.headers.upgrade?.toLowerCase() !== 'h2c') return true
      unswitched.add(request)
      return false
    },
  })
  /**
   * Node's parser drops the bytes that come in one piece with such a request, and reads on in the middle of what follows: nothing of that
   * may be taken for a request.
   */
  const unswitched = new WeakSet<IncomingMessage>()
  const refused = new WeakSet<Duplex>()
  server.on('connection', (socket: Socket) => {
    if (options.connection?.(socket, false) === false) refused.add(socket)
  })

  /** True if the request may continue. */
  const receive = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (refused.has(request.socket) || isEnding(request.socket)) return false
    follow(response)
    const problem = faultOf(request)
    if (!problem) {
      if (request.headers.upgrade !== undefined && unswitched.has(request)) {
        refused.add(request.socket)
        response.shouldKeepAlive = false
      }
      if (hasBody(request)) {
        // Other readers may see the end of such a body elsewhere: nothing behind it is read.
        const codings = request.headers['transfer-encoding']
        if (codings !== undefined && codings.toLowerCase() !== 'chunked') {
          refused.add(request.socket)
          response.shouldKeepAlive = false
        }
        limitStall(request, response, { bodyRate, named })
        lingerAfter(request, () => refused.add(request.socket))
      }
      return true
    }
    refuse(request, response, problem)
    return false
  }
  /** The rest of the connection is not read: it may belong to the refused request. */
  const refuse = (request: IncomingMessage, response: ServerResponse, problem: Problem) => {
    refused.add(request.socket)
    const { headers, body } = refusalParts(problem, { named })
    response.writeHead(problem.status, headers).end(body)
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (receive(request, response)) options.answer(request, response)
  })
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!receive(request, response)) return
    continueOnce(request, response)
    if (hasBody(request)) options.expect(request, response)
    else options.answer(request, response)
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    if (!receive(request, response)) return
    refuse(request, response, expectationFailed('Only "Expect: 100-continue" is understood here.'))
  })
  /** True if a connection whose request is no ordinary one is free for its answer. */
  const vacant = (socket: Duplex): boolean => {
    socket.on('error', () => socket.destroy())
    if (refused.has(socket)) return false
    const before = answering(socket).at(-1)
    if (!before) return true
    // Requests before it get their answers, and it gets none: what comes behind a switch of protocols is not HTTP.
    endAfter(socket, before)
    socket.resume()
    return false
  }
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!vacant(socket)) return
    const problem = faultOf(request)
    if (problem) refuseRaw(socket, problem, { named })
    else if (!options.upgrade?.(request, socket, head)) {
      refuseRaw(socket, badRequest('No other protocol is spoken here.'), { named })
    }
  })
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    if (vacant(socket)) refuseRaw(socket, methodNotAllowed('This is no proxy to other hosts.'), { named })
  })
  server.on('clientError', (error: ParserError, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const unfinished = answering(socket).filter(response => !response.writableFinished)
    const last = unfinished.at(-1)
    if (last === undefined) {
      const problem = problemOf(error)
      const page = isBrowsers(error) ? options.page?.(problem) : undefined
      refuseRaw(socket, problem, { named, ...(page !== undefined && { page }) })
    } else if (last.req.complete || unfinished.length > 1) {
      // Earlier requests on the connection get their responses before it ends.
      endAfter(socket, last.req.complete ? last : unfinished.at(-2))
    } else if (last.headersSent) socket.destroy()
    else refuseRaw(socket, problemOf(error), { named })
  })
  return server
}

/** Whether the answer to an earlier request ends the connection. One to a request that follows could not be sent. */
function isEnding(socket: Socket): boolean {
  if (!socket.writable) return true
  return answering(socket).some(({ headersSent, shouldKeepAlive }) => headersSent && !shouldKeepAlive)
}

/**
 * Node ends the connection after the answer to a client that got no `100 Continue`, because a body may follow or not. One whose body has
 * arrived without that gets it after all, or the requests behind it would not be answered.
 */
function continueOnce(request: IncomingMessage, response: ServerResponse): void {
  const send = response.writeContinue.bind(response)
  let sent = false
  response.writeContinue = () => {
    if (!sent && !response.headersSent) send()
    sent = true
  }
  if (hasBody(request)) request.once('end', () => response.writeContinue())
  else response.writeContinue()
}

interface ParserError extends NodeJS.ErrnoException {
  /** The bytes that the parser failed on. */
  rawPacket?: Buffer
}

function endAfter(socket: Duplex, response: ServerResponse | undefined): void {
  if (!response || endingSoon.has(response)) return
  endingSoon.add(response)
  response.shouldKeepAlive = false
  response.once('close', () => socket.destroy())
}

const endingSoon = new WeakSet<ServerResponse>()

/** Faults of a request that node's parser accepts. */
function faultOf(request: IncomingMessage): Problem | undefined {
  const { httpVersion: version } = request
  if (request.rawHeaders.length > 2 * mostFields)
    return headTooLarge(`Send fewer headers: ${mostFields} is the limit.`)
  if (version === '1.1') return undefined
  if (version !== '1.0') return httpVersion('HTTP/1.1 is spoken here.')
  // RFC 9112, section 6.1: the framing is faulty, because a server of that version would not know where the body
  // ends.
  if (request.headers['transfer-encoding'] !== undefined) {
    return badRequest('A request of HTTP/1.0 has no Transfer-Encoding; send its Content-Length.')
  }
  return undefined
}

function problemOf(error: ParserError): Problem {
  const make = faults[error.code ?? ''] ?? unreadable
  return make(error.rawPacket)
}

const unreadable = () => badRequest('It is not valid HTTP.')

/** The problems for node's parser errors, by code. */
const faults: Record<string, (packet: Buffer | undefined) => Problem> = {
  HPE_HEADER_OVERFLOW: overflowProblem,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: () => tooLarge('The extensions of a chunk are too long.'),
  HPE_PAUSED_H2_UPGRADE: () => httpVersion('HTTP/1.1 is spoken here.'),
  HPE_INVALID_VERSION: () => httpVersion('HTTP/1.1 is spoken here.'),
  ERR_HTTP_REQUEST_TIMEOUT: () => tooSlow('The request did not come in whole in time.'),
}

function isBrowsers(error: ParserError): boolean {
  return error.code === 'HPE_HEADER_OVERFLOW' && holdsCookies(error.rawPacket)
}
