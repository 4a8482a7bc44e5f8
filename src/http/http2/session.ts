import { type IncomingMessage, METHODS, type ServerResponse } from 'node:http'
import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { headerLimitBytes } from '../listener/head-overflow.ts'
import { badRequest, methodNotAllowed, type Problem } from '../problem.ts'
import { type StreamHead, StreamRequest } from './stream-request.ts'
import { StreamResponse } from './stream-response.ts'
import { StreamSocket } from './stream-socket.ts'

export interface SessionOptions {
  /** Takes each request. They have the faces of node's HTTP/1.1, and come without its parser's faults. */
  request(request: IncomingMessage, response: ServerResponse): void
  /** Answers a request that is not passed on. */
  refuse(request: IncomingMessage, response: ServerResponse, problem: Problem): void
  /** How long a connection without requests stays open. */
  idleMs: number
  /** How long a head may take. */
  headMs: number
}

/** Requests of one connection at a time. Browsers stay below 100. */
const mostStreams = 128

const limits = {
  settings: {
    maxConcurrentStreams: mostStreams,
    maxHeaderListSize: headerLimitBytes,
    // How much of each body may arrive before it is read.
    initialWindowSize: 256 * 1024,
    enablePush: false,
  },
  maxHeaderListPairs: 256,
  maxSettings: 32,
  // MiB. A connection beyond it gets no further requests.
  maxSessionMemory: 16,
  // A client that opens requests and cancels them at once (CVE-2023-44487) loses its connection.
  streamResetBurst: 300,
  streamResetRate: 30,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
}

export type Session = ServerHttp2Session

/** Speaks HTTP/2 on a connection on which the client chose it. */
export function openSession(connection: TLSSocket, options: SessionOptions): Session {
  const session = performServerHandshake(connection, limits)
  let open = 0
  let quietAt = performance.now()
  session.on('stream', (stream, headers, _, raw) => {
    open++
    stream.once('close', () => {
      open--
      quietAt = performance.now()
    })
    // When a stream breaks, it closes as well, and that is handled.
    stream.on('error', () => undefined)
    take(stream, headers, raw, connection, options)
  })
  session.on('error', () => undefined)
  // Within a head, nothing but the rest of it may be sent (RFC 9113, section 6.10). So a client that answers a ping is not in the middle
  // of one, and of a client that does not answer, no request will come.
  let awaited = false
  const look = () => {
    if (open > 0 || session.destroyed) return
    if (awaited) session.destroy()
    else if (performance.now() - quietAt >= options.idleMs) {
      session.close()
      connection.destroySoon()
    } else
      awaited = session.ping(() => {
        awaited = false
      })
  }
  const timer = setInterval(look, options.headMs / 2).unref()
  session.once('close', () => clearInterval(timer))
  return session
}

function take(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
  connection: TLSSocket,
  options: SessionOptions,
): void {
  if (stream.destroyed) return
  const head = readStreamHead(headers, raw)
  const own = new StreamRequest(stream, head, new StreamSocket(stream, connection))
  // The one place where HTTP/2 takes the face of HTTP/1.1.
  const request = own as unknown as IncomingMessage
  const response = new StreamResponse(stream, own) as unknown as ServerResponse
  const problem = faultOf(headers)
  if (problem) options.refuse(request, response, problem)
  else options.request(request, response)
}

/** The head in the form of HTTP/1.1. The parser has checked the form of each field. */
function readStreamHead(headers: IncomingHttpHeaders, given: readonly string[]): StreamHead {
  const raw: string[] = []
  const authority = headers[':authority']
  if (authority !== undefined) raw.push('host', authority)
  let cookies = ''
  for (let i = 0; i < given.length; i += 2) {
    const name = given[i] as string
    const value = given[i + 1] as string
    if (name.startsWith(':') || (name === 'host' && authority !== undefined)) continue
    // RFC 9113, section 8.2.3: one header, sent in pieces.
    if (name === 'cookie') cookies += cookies === '' ? value : `; ${value}`
    else raw.push(name, value)
  }
  if (cookies !== '') raw.push('cookie', cookies)
  return { method: headers[':method'] ?? '', path: headers[':path'] ?? '', raw }
}

const methods = new Set(METHODS)

/** Faults of a request that the parser of HTTP/2 accepts, and that of HTTP/1.1 does not. */
function faultOf(headers: IncomingHttpHeaders): Problem | undefined {
  const method = headers[':method'] ?? ''
  if (method === 'CONNECT') return methodNotAllowed('This is no proxy to other hosts.')
  if (!methods.has(method)) return badRequest('It is not valid HTTP: the method is unknown.')
  if (headers[':scheme'] !== 'https') return badRequest('The scheme of the request is not https.')
  const { host, ':authority': authority } = headers
  if (host !== undefined && authority !== undefined && host.toLowerCase() !== authority.toLowerCase()) {
    return badRequest('":authority" and the Host header name different hosts. They must be the same.')
  }
  return undefined
}
