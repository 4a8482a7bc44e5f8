import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { hasBody } from '../../../src/http/listener/stall.ts'
import { badRequest, Problem } from '../../../src/http/problem.ts'
import { readAnswer } from '../intake/headers.ts'
import { timedOut } from '../intake/problems.ts'
import { requestIdOf } from '../intake/request-id.ts'
import type { AnswerHead } from '../upstream/answer-head.ts'
import { NotItself } from '../upstream/proof.ts'
import { type RequestEvents, UpstreamRequest } from '../upstream/request.ts'
import type { AnswerStream } from './answer-stream.ts'
import { type ExchangeOptions, notLetThrough, notReached, type Passage, passOn } from './exchange.ts'
import { Joint } from './joint.ts'

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
    options.refuse(passage, badRequest('A request to upgrade the connection must have no body.'))
    return
  }
  const pool = backend.poolFor(ready.instanceId)
  if (!pool) {
    options.refuse(passage, passage.unavailable())
    return
  }
  const headers = [...passage.headers, 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? '']
  let answer: AnswerStream | undefined
  const finish = () => {
    clearTimeout(timer)
    socket.off('close', abandon)
  }
  const abandon = () => {
    finish()
    outgoing.destroy()
  }
  const refuse = (problem: Problem) => {
    abandon()
    options.refuse(passage, problem)
  }
  const timer = setTimeout(
    () => refuse(timedOut('The instance did not answer in time. Try again in a moment.')),
    options.responseTimeoutMs,
  )
  socket.on('close', abandon)

  const events: RequestEvents = {
    writable: () => undefined,
    information: () => undefined,
    head: head => {
      clearTimeout(timer)
      const passed = passOn(head, passage, outgoing, options)
      if (passed instanceof Problem) refuse(passed)
      else answer = passed
    },
    data: chunk => answer?.data(chunk),
    caughtUp: () => answer?.caughtUp(),
    end: trailers => {
      finish()
      answer?.end(trailers)
    },
    failed: error => {
      finish()
      if (answer) {
        response.destroy()
        return
      }
      if (error instanceof NotItself) {
        options.misrouted(backend, ready.instanceId, error.message)
        options.refuse(passage, notLetThrough())
        return
      }
      if (error.code === 'ECONNREFUSED')
        options.misrouted(backend, ready.instanceId, 'refused the connection')
      options.refuse(passage, notReached(error))
    },
    switched: (head, upstream, first) => {
      finish()
      const agreed = readAnswer(head.headers, request.rawHeaders)
      if (agreed.instanceId !== ready.instanceId) {
        upstream.destroy()
        options.misrouted(backend, ready.instanceId, `did not say that it is ${ready.instanceId}`)
        options.refuse(passage, notLetThrough())
        return
      }
      response.detachSocket(socket as Socket)
      agreed.headers.push('Connection', 'Upgrade', 'Upgrade', agreed.upgrade ?? '')
      agreed.headers.push('X-Request-Id', requestIdOf(request))
      socket.write(switchingHead(head, agreed.headers), 'latin1')
      passage.visit.switched(upstream)
      const webSocket = agreed.upgrade?.toLowerCase() === 'websocket'
      const joint = new Joint(socket as Socket, upstream, webSocket, () => forget())
      const forget = backend.keep(joint)
      joint.begin(early, first)
    },
  }
  const outgoing = new UpstreamRequest(
    { method: request.method ?? '', path, headers, body: 'none', maySwitch: true },
    events,
  )
  passage.visit.upstream = outgoing
  pool.send(outgoing, true)
}

function switchingHead({ reason }: AnswerHead, headers: readonly string[]): string {
  let text = `HTTP/1.1 101 ${reason || 'Switching Protocols'}\r\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}
