import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ListenerOptions } from '../listener/listener.ts'
import { refusalParts } from '../listener/raw-refusal.ts'
import { defaultBodyRate, hasBody, limitStall } from '../listener/stall.ts'
import { expectationFailed, type Problem } from '../problem.ts'
import type { SessionOptions } from './session.ts'

/** Serves the requests of HTTP/2 as the listener serves those of HTTP/1.1. */
export function serveStreams(options: ListenerOptions): Pick<SessionOptions, 'request' | 'refuse'> {
  const { named = {}, bodyRate = defaultBodyRate } = options
  const refuse = (_: IncomingMessage, response: ServerResponse, problem: Problem) => {
    if (response.headersSent) return
    const { headers, body } = refusalParts(problem, { named })
    response.writeHead(problem.status, headers).end(body)
  }
  return {
    refuse,
    request: (request, response) => {
      const expected = request.headers.expect?.toLowerCase()
      if (expected !== undefined && expected !== '100-continue') {
        refuse(request, response, expectationFailed('Only "Expect: 100-continue" is understood here.'))
        return
      }
      if (hasBody(request)) {
        const tooSlow = (problem: Problem) => refuse(request, response, problem)
        limitStall(request, response, { bodyRate, named, refuse: tooSlow })
      }
      if (expected === undefined) options.answer(request, response)
      else options.expect(request, response)
    },
  }
}
