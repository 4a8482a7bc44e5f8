import { type IncomingMessage, ServerResponse, request as send } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { hasBody } from '../../src/http/listener/stall.ts'
import { badRequest } from '../../src/http/problem.ts'
import type { Backend } from './backend.ts'
import { type ExchangeOptions, notLetThrough, type Passage, passOn } from './exchange.ts'
import { readAnswer } from './headers.ts'
import { timedOut, unreachable } from './problems.ts'
import { NotItself } from './proof.ts'

/**
 * Makes the response to an upgrade request. A refusal is an ordinary HTTP response, and the connection closes after it.
 */
export function answerOn(socket: Duplex, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as Socket)
  response.on('finish', () => {
    response.detachSocket(socket as Socket)
    socket.end(() => socket.destroy())
  })
  return response
}

/**
 * Passes on a request to upgrade the connection. The two connections are joined only when the instance agrees and identifies
 * itself. Any other answer is passed back as it is.
 */
export function tunnel(passage: Passage, socket: Duplex, early: Buffer, options: ExchangeOptions): void {
  const { request, response, backend, ready, path } = passage
  if (hasBody(request)) {
    options.refuse(request, response, badRequest('A request to upgrade the connection must have no body.'))
    return
  }
  const headers = [...passage.headers, 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? '']
  const outgoing = send({
    host: ready.host,
    port: ready.port,
    method: request.method,
    path,
    headers,
    agent: backend.single(),
  })
  let finished = false
  const finish = () => {
    finished = true
    clearTimeout(timer)
  }
  const timer = setTimeout(() => {
    finish()
    outgoing.destroy()
    options.refuse(request, response, timedOut('The instance did not answer in time. Try again in a moment.'))
  }, options.responseTimeoutMs)

  const onClose = () => {
    finish()
    outgoing.destroy()
  }
  socket.on('close', onClose)
  outgoing.on('error', (cause: NodeJS.ErrnoException) => {
    if (finished) return
    finish()
    if (cause instanceof NotItself) {
      options.misrouted(backend, ready.instanceId, cause.message)
      options.refuse(request, response, notLetThrough())
      return
    }
    if (cause.code === 'ECONNREFUSED') options.misrouted(backend, ready.instanceId, 'refused the connection')
    options.refuse(
      request,
      response,
      unreachable('The instance closed the connection before it answered. Try again in a moment.', { cause }),
    )
  })
  outgoing.on('response', (message: IncomingMessage) => {
    if (finished) return
    finish()
    const problem = passOn(message, passage, options)
    if (!problem) return
    outgoing.destroy()
    options.refuse(request, response, problem)
  })
  outgoing.on('upgrade', (message: IncomingMessage, upstream: Socket, first: Buffer) => {
    if (finished) {
      upstream.destroy()
      return
    }
    finish()
    socket.off('close', onClose)
    const answer = readAnswer(message.rawHeaders, request.rawHeaders)
    if (answer.instanceId !== ready.instanceId) {
      upstream.destroy()
      options.misrouted(backend, ready.instanceId, `did not say that it is ${ready.instanceId}`)
      options.refuse(request, response, notLetThrough())
      return
    }
    response.detachSocket(socket as Socket)
    answer.headers.push('Connection', 'Upgrade', 'Upgrade', message.headers.upgrade ?? '')
    socket.write(switchingHead(message, answer.headers), 'latin1')
    if (first.length > 0) socket.write(first)
    if (early.length > 0) upstream.write(early)
    join(backend, socket as Socket, upstream)
  })
  outgoing.end()
}

function switchingHead(message: IncomingMessage, headers: readonly string[]): string {
  let text = `HTTP/1.1 101 ${message.statusMessage || 'Switching Protocols'}\r\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}

/** Joins two connections. Either end may close its half; an error on one closes both. */
function join(backend: Backend, client: Socket, upstream: Socket): void {
  const forget = backend.keep({
    destroy: () => {
      client.destroy()
      upstream.destroy()
    },
  })
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.setTimeout(0)
    one.setNoDelay(true)
    // Detects a peer that is gone without having closed the connection.
    one.setKeepAlive(true, 60_000)
    one.on('error', () => other.destroy())
    one.on('close', () => {
      forget()
      if (!one.readableEnded) other.destroy()
      else other.destroySoon()
    })
    one.pipe(other)
  }
}
