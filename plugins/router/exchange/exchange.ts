import type { IncomingMessage, ServerResponse } from 'node:http'
import { hasBody as announcesBody } from '../../../src/http/listener/stall.ts'
import { Problem } from '../../../src/http/problem.ts'
import type { Visit } from '../figures/visit.ts'
import { readAnswer } from '../intake/headers.ts'
import { misrouted, timedOut, unreachable, unsupportedCoding } from '../intake/problems.ts'
import { requestIdOf } from '../intake/request-id.ts'
import { longBody, shuttingDown } from '../intake/unavailable.ts'
import { BodyLimit } from '../limits/body-limit.ts'
import { type AnswerHead, UnreadableAnswer } from '../upstream/answer-head.ts'
import { EdgeStops } from '../upstream/pool.ts'
import { NotItself } from '../upstream/proof.ts'
import { type RequestEvents, UpstreamRequest } from '../upstream/request.ts'
import { AnswerStream } from './answer-stream.ts'
import { gather } from './arrival.ts'
import type { Backend, Ready } from './backend.ts'
import { EventStream } from './event-stream.ts'
import { Upload } from './upload.ts'

export interface ExchangeOptions {
  /** How long an instance may take from the end of a request to the head of its answer. */
  responseTimeoutMs: number
  /** Whether each answer is the last one on its connection, because the program is going to stop. */
  closing: boolean
  serverTiming: 'off' | 'asked' | 'on'
  refuse(passage: Passage, problem: Problem): void
  /** Called when an instance did not identify itself, or refused the connection. */
  misrouted(backend: Backend, instanceId: string, reason: string): void
}

/** One request that is passed on, and where it goes. */
export interface Passage {
  request: IncomingMessage
  response: ServerResponse
  backend: Backend
  ready: Ready
  /** The headers for the instance, without those that frame the body. */
  headers: readonly string[]
  /** Called when the body has arrived, or starts to be streamed to the instance. */
  arrived(): void
  /** Called when the answer is complete here and the client has not taken all of it. */
  unread(): void
  /** The path and query, in origin form. */
  path: string
  /** The longest body that is passed on; infinite for any. */
  bodyBytes: number
  /** What is counted of it. */
  visit: Visit
  /**
   * Takes a request back that the instance did not answer, because the instance is being replaced: it is held, or passed on to where
   * the instance is now. Returns false when that is not so. Without it, such a request is refused. A request of which a part was read
   * goes on with `resume`.
   */
  takeBack?(resume?: () => void): boolean
  /** Why there is no way to the instance now. */
  unavailable(): Problem
}

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * Passes a request to its instance and the answer back, both as streams. The answer reaches the client only when it names
 * the right instance. When a pooled connection turns out to be closed, an idempotent request without a body is retried
 * once, on a fresh connection.
 */
export function exchange(passage: Passage, options: ExchangeOptions): void {
  const { request, response } = passage
  const codings = request.headers['transfer-encoding']
  if (codings !== undefined && codings.toLowerCase() !== 'chunked') {
    const detail = `Send the body plain or chunked. "${codings}" cannot be passed on.`
    options.refuse(passage, unsupportedCoding(detail))
    return
  }
  if (!announcesBody(request)) attempt(passage, options, null)
  // The instance decides whether it wants the body, so it has to be asked first.
  else if (request.headers.expect !== undefined) {
    request.once('end', () => passage.arrived())
    attempt(passage, options, { first: [], limit: limitOf(passage) })
  } else {
    const limit = limitOf(passage)
    const tooLong = () => options.refuse(passage, longBody(passage.bodyBytes))
    gather(request, response, limit, tooLong, first => {
      passage.arrived()
      attempt(passage, options, { first, limit })
    })
  }
}

/** A chunked body is counted as it arrives. Of others, the length is known before. */
function limitOf({ request, bodyBytes }: Passage): BodyLimit | null {
  const open = request.headers['transfer-encoding'] !== undefined && bodyBytes < Number.POSITIVE_INFINITY
  return open ? new BodyLimit(bodyBytes) : null
}

/** `body` has the part of the body that has arrived; null when the request has none. */
function attempt(
  passage: Passage,
  options: ExchangeOptions,
  body: { first: readonly Buffer[]; limit: BodyLimit | null } | null,
  again = false,
): void {
  const { request, response, backend, ready } = passage
  const { method = '' } = request
  // While a body arrives, its instance may stop or move. Nothing was sent yet.
  const pool = backend.poolFor(ready.instanceId)
  if (!pool) {
    const resume = body ? () => attempt(passage, options, body) : undefined
    if (!passage.takeBack?.(resume)) options.refuse(passage, passage.unavailable())
    return
  }
  const upload =
    body &&
    new Upload(request, body.first, body.limit, {
      // The instance's time starts when it has the whole request.
      end: () => {
        if (!answer) timer.refresh()
      },
      tooLong: () => fail(longBody(passage.bodyBytes)),
    })
  let answer: AnswerStream | undefined

  const abandon = () => {
    clearTimeout(timer)
    response.off('close', abandon)
    upload?.stop()
    outgoing.destroy()
  }
  const fail = (problem: Problem) => {
    abandon()
    options.refuse(passage, problem)
  }
  const onLate = () => {
    if (upload && !request.complete && outgoing.connected) {
      timer = setTimeout(onLate, options.responseTimeoutMs)
      return
    }
    const seconds = Math.round(options.responseTimeoutMs / 1000)
    fail(timedOut(`There was no answer within ${seconds} seconds. The request may still take effect.`))
  }
  let timer = setTimeout(onLate, options.responseTimeoutMs)
  // Ends what the client no longer waits for.
  response.on('close', abandon)

  const events: RequestEvents = {
    writable: () => upload?.writable(outgoing),
    information: head => passInformation(head, passage),
    head: head => {
      clearTimeout(timer)
      const passed = passOn(head, passage, outgoing, options)
      if (passed instanceof Problem) fail(passed)
      else answer = passed
    },
    data: chunk => answer?.data(chunk),
    caughtUp: () => answer?.caughtUp(),
    end: trailers => {
      // An answer that came early needs no more of the body; it is read to its end for the sake of the client's connection.
      upload?.stop()
      answer?.end(trailers)
    },
    switched: (_, socket) => {
      socket.destroy()
    },
    failed: error => {
      clearTimeout(timer)
      response.off('close', abandon)
      upload?.stop()
      // When the instance cuts the answer short, so do we. Otherwise the client would take it for complete.
      if (answer) {
        response.destroy()
        return
      }
      if (!again && !upload && idempotent.has(method) && outgoing.closedWhileIdle) {
        attempt(passage, options, null, true)
        return
      }
      if (error instanceof NotItself) {
        options.misrouted(backend, ready.instanceId, error.message)
        return fail(notLetThrough())
      }
      const repeatable = error.code === 'ECONNREFUSED' || idempotent.has(method)
      if (!upload && repeatable && passage.takeBack?.()) return
      if (error.code === 'ECONNREFUSED')
        options.misrouted(backend, ready.instanceId, 'refused the connection')
      options.refuse(passage, notReached(error))
    },
  }
  const chunked = request.headers['transfer-encoding'] !== undefined
  const framing = chunked ? 'chunked' : 'plain'
  const outgoing = new UpstreamRequest(
    { method, path: passage.path, headers: passage.headers, body: upload ? framing : 'none' },
    events,
  )
  passage.visit.upstream = outgoing
  // A retry uses a connection of its own.
  pool.send(outgoing, again)
}

export function notReached(error: NodeJS.ErrnoException): Problem {
  if (error instanceof EdgeStops) return shuttingDown()
  if (error instanceof UnreadableAnswer)
    return unreachable(`The instance’s answer could not be read: ${error.message}.`, { cause: error })
  return error.code === 'ETIMEDOUT'
    ? timedOut('The instance could not be reached in time. Try again in a moment.')
    : unreachable('The instance closed the connection before it answered. Try again in a moment.', {
        cause: error,
      })
}

/**
 * Passes on what comes before an answer: `100`, when the client waits for it, and the links of early hints that name the
 * instance, as every answer must.
 */
function passInformation({ status, headers }: AnswerHead, { request, response, ready }: Passage): void {
  if (response.headersSent || request.httpVersion === '1.0') return
  if (status === 100 && request.headers.expect !== undefined) response.writeContinue()
  if (status !== 103 || readAnswer(headers, []).instanceId !== ready.instanceId) return
  const links = headers.flatMap((name, i) =>
    i % 2 === 0 && name.toLowerCase() === 'link' ? [name, headers[i + 1] as string] : [],
  )
  if (links.length > 0) response.writeInformation(103, links)
}

/** Passes on the head of an instance's answer. Returns what passes on its body, or the problem when it must not be passed on. */
export function passOn(
  head: AnswerHead,
  { request, response, backend, ready, visit, unread }: Passage,
  outgoing: UpstreamRequest,
  options: ExchangeOptions,
): AnswerStream | Problem {
  const answer = readAnswer(head.headers, request.rawHeaders)
  if (answer.instanceId !== ready.instanceId || head.status === 421) {
    const reason =
      head.status === 421 ? 'said that it is another' : `did not say that it is ${ready.instanceId}`
    options.misrouted(backend, ready.instanceId, reason)
    return notLetThrough()
  }
  // RFC 9110, section 8.6: a 204 has none, and a parser could wait for a body.
  if (head.status === 204 && head.length >= 0) answer.headers.splice(-2)
  if (answer.trailer !== undefined && head.chunked && carriesChunks(request)) {
    answer.headers.push('Trailer', answer.trailer, 'Transfer-Encoding', 'chunked')
  }
  answer.headers.push('X-Request-Id', requestIdOf(request))
  if (options.closing) response.shouldKeepAlive = false
  visit.head()
  if (saysTiming(options, request)) answer.headers.push('Server-Timing', visit.serverTiming())
  try {
    response.writeHead(head.status, head.reason, answer.headers)
  } catch (cause) {
    return unreachable('The instance’s answer could not be read.', { cause })
  }
  if (!answer.events) return new AnswerStream(outgoing, response, head.length, unread)
  visit.lasts()
  const stream = new EventStream(outgoing, response, head, unread)
  response.on('close', backend.keep(stream))
  return stream
}

export function notLetThrough(): Problem {
  return misrouted(
    'Something else answered in place of the instance, and its answer was blocked. Try again in a moment.',
    { headers: { 'Retry-After': '5' } },
  )
}

/** `Longhouse-Timing` asks for it, with any value. */
function saysTiming({ serverTiming }: ExchangeOptions, request: IncomingMessage): boolean {
  return (
    serverTiming === 'on' || (serverTiming === 'asked' && request.headers['longhouse-timing'] !== undefined)
  )
}

function carriesChunks(request: IncomingMessage): boolean {
  return request.httpVersion === '1.1' && request.method !== 'HEAD'
}
