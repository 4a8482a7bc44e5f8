import { type ClientRequest, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { hasBody as announcesBody } from '../../src/http/listener/stall.ts'
import type { Problem } from '../../src/http/problem.ts'
import { gather } from './arrival.ts'
import { type Backend, closedWhileIdle, type Ready } from './backend.ts'
import { passableTrailers, readAnswer } from './headers.ts'
import { misrouted, timedOut, unreachable, unsupportedCoding } from './problems.ts'
import { NotItself } from './proof.ts'

export interface ExchangeOptions {
  /** How long an instance may take from the end of a request to the head of its answer. */
  responseTimeoutMs: number
  refuse(request: IncomingMessage, response: ServerResponse, problem: Problem): void
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
  /** The path and query, in origin form. */
  path: string
  /**
   * Takes a request back that the instance did not answer, because the instance is being replaced: it is held, or passed on to where
   * the instance is now. Returns false when that is not so. Without it, such a request is refused.
   */
  takeBack?(): boolean
}

const joinedBytes = 8192
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
    options.refuse(request, response, unsupportedCoding(detail))
    return
  }
  if (!announcesBody(request)) attempt(passage, options, null)
  // The instance decides whether it wants the body, so it has to be asked first.
  else if (request.headers.expect !== undefined) {
    request.once('end', () => passage.arrived())
    attempt(passage, options, [])
  } else {
    gather(request, response, first => {
      passage.arrived()
      attempt(passage, options, first)
    })
  }
}

/** `body` is the part of the body that has arrived; null when the request has none. */
function attempt(
  passage: Passage,
  options: ExchangeOptions,
  body: readonly Buffer[] | null,
  again = false,
): void {
  const { request, response, backend, ready } = passage
  const hasBody = body !== null
  const chunked = request.headers['transfer-encoding'] !== undefined

  const outgoing = open(passage, chunked, again)
  let incoming: IncomingMessage | undefined
  let abandoned = false

  const abandon = () => {
    abandoned = true
    clearTimeout(timer)
    response.off('close', onClose)
    if (hasBody) {
      request.unpipe(outgoing)
      request.resume()
    }
    outgoing.destroy()
  }
  const fail = (problem: Problem) => {
    abandon()
    options.refuse(request, response, problem)
  }
  const onLate = () => {
    if (hasBody && !request.complete && outgoing.socket?.connecting === false) {
      timer = setTimeout(onLate, options.responseTimeoutMs)
      return
    }
    const seconds = Math.round(options.responseTimeoutMs / 1000)
    fail(timedOut(`There was no answer within ${seconds} seconds. The request may still take effect.`))
  }
  let timer = setTimeout(onLate, options.responseTimeoutMs)

  // Ends what the client no longer waits for, and an upload whose answer is already complete.
  const onClose = () => {
    if (!incoming?.complete || !outgoing.writableFinished) abandon()
  }
  response.on('close', onClose)

  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    if (abandoned || incoming) return
    if (!again && !hasBody && idempotent.has(request.method ?? '') && closedWhileIdle(outgoing)) {
      abandon()
      attempt(passage, options, null, true)
      return
    }
    if (error instanceof NotItself) {
      options.misrouted(backend, ready.instanceId, error.message)
      return fail(notLetThrough())
    }
    const repeatable = error.code === 'ECONNREFUSED' || idempotent.has(request.method ?? '')
    if (!hasBody && repeatable && passage.takeBack) {
      abandon()
      if (passage.takeBack()) return
    }
    if (error.code === 'ECONNREFUSED') options.misrouted(backend, ready.instanceId, 'refused the connection')
    fail(notReached(error))
  })

  outgoing.on('response', (message: IncomingMessage) => {
    if (abandoned) return
    incoming = message
    clearTimeout(timer)
    const problem = passOn(message, passage, options)
    if (problem) return fail(problem)
    if (hasBody) {
      message.on('end', () => {
        if (request.complete) return
        request.unpipe(outgoing)
        request.resume()
      })
    }
  })

  if (request.headers.expect !== undefined && request.httpVersion !== '1.0') {
    outgoing.on('continue', () => {
      if (!response.headersSent) response.writeContinue()
    })
  }
  sendBody(outgoing, request, body, () => {
    // The instance's time starts when it has the whole request.
    if (!abandoned && !incoming) timer.refresh()
  })
}

/** Sends what has arrived of the body and then the rest of it; null when there is none. Calls `onEnd` at its end. */
function sendBody(
  outgoing: ClientRequest,
  request: IncomingMessage,
  body: readonly Buffer[] | null,
  onEnd: () => void,
): void {
  if (body === null) {
    outgoing.end()
    return
  }
  const chunked = request.headers['transfer-encoding'] !== undefined
  const end = () => {
    onEnd()
    if (chunked && request.rawTrailers.length > 0) outgoing.addTrailers(passableTrailers(request.rawTrailers))
  }
  for (const chunk of body) outgoing.write(chunk)
  if (request.readableEnded) {
    end()
    outgoing.end()
  } else {
    request.once('end', end)
    request.pipe(outgoing)
  }
}

function notReached(error: NodeJS.ErrnoException): Problem {
  return error.code === 'ETIMEDOUT'
    ? timedOut('The instance could not be reached in time. Try again in a moment.')
    : unreachable('The instance closed the connection before it answered. Try again in a moment.', {
        cause: error,
      })
}

/** Opens the request to the instance; a retry uses a connection of its own. */
function open({ request, backend, ready, headers, path }: Passage, chunked: boolean, again: boolean) {
  return send({
    host: ready.host,
    port: ready.port,
    method: request.method,
    path,
    headers: chunked ? [...headers, 'Transfer-Encoding', 'chunked'] : headers,
    agent: again ? backend.single() : backend.pool,
  })
}

/** Passes on an instance's answer. Returns the problem instead when it must not be passed on. */
export function passOn(
  message: IncomingMessage,
  { request, response, backend, ready }: Passage,
  options: ExchangeOptions,
): Problem | undefined {
  const answer = readAnswer(message.rawHeaders, request.rawHeaders)
  const status = message.statusCode ?? 0
  if (answer.instanceId !== ready.instanceId || status === 421) {
    const reason = status === 421 ? 'said that it is another' : `did not say that it is ${ready.instanceId}`
    options.misrouted(backend, ready.instanceId, reason)
    return notLetThrough()
  }
  if (status < 200 || (answer.codings !== undefined && answer.codings !== 'chunked')) {
    return unreachable('The instance’s answer could not be read.')
  }
  if (answer.trailer !== undefined && answer.codings && carriesChunks(request)) {
    answer.headers.push('Trailer', answer.trailer, 'Transfer-Encoding', 'chunked')
  }
  try {
    response.writeHead(status, message.statusMessage ?? '', answer.headers)
  } catch (cause) {
    return unreachable('The instance’s answer could not be read.', { cause })
  }
  if (message.headers['content-type']?.startsWith('text/event-stream')) {
    const forget = backend.keep(response)
    response.on('close', forget)
  }
  stream(message, response, answer.length)
  return undefined
}

function stream(message: IncomingMessage, response: ServerResponse, length: number): void {
  let begun = false
  message.on('data', (chunk: Buffer) => {
    // A body that arrived whole is sent whole. As text, Node joins a small one to the head and writes once.
    if (!begun && chunk.length === length) {
      if (length <= joinedBytes) response.end(chunk.toString('latin1'), 'latin1')
      else response.end(chunk)
    } else if (!response.write(chunk)) {
      message.pause()
      response.once('drain', () => message.resume())
    }
    begun = true
  })
  message.on('end', () => {
    begun = true
    if (message.rawTrailers.length > 0 && response.chunkedEncoding) {
      response.addTrailers(passableTrailers(message.rawTrailers))
    }
    response.end()
    // A slow client must not keep its permit for as long as it likes after the answer is complete here.
    if (response.writableLength > 0) response.socket?.setTimeout(60_000)
  })
  // When the instance cuts the answer short, so do we. Otherwise the client would take it for complete.
  message.on('close', () => {
    if (!message.complete) response.destroy()
  })
  message.on('error', () => response.destroy())
  setImmediate(() => {
    if (!begun) response.flushHeaders()
  })
}

export function notLetThrough(): Problem {
  return misrouted(
    'Something else answered in place of the instance, and its answer was blocked. Try again in a moment.',
  )
}

function carriesChunks(request: IncomingMessage): boolean {
  return request.httpVersion === '1.1' && request.method !== 'HEAD'
}
