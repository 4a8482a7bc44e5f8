import { createServer, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { badRequest, type Problem, tooLarge } from '../../src/http/problem.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { identityHeader } from './identity.ts'
import { expectationFailed, headTooLarge, tooSlow } from './problems.ts'

/**
 * The HTTP server of an instance. Answers that are given before the app is asked, because a request cannot be read,
 * name the instance too: a router takes an answer without a name for somebody else's.
 */
export function createInstanceServer(app: Pick<Hono<AppEnv>, 'fetch'>, instanceId: string): Server {
  const latest = new WeakMap<Duplex, ServerResponse>()
  const answer = getRequestListener(app.fetch as (request: Request, env: unknown) => Promise<Response>, {
    overrideGlobalObjects: false,
  })
  // Hono answers 400 when there is no Host, where node would do it without a name.
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    latest.set(request.socket, response)
    response.setHeader(identityHeader, instanceId)
    void answer(request, response)
  })
  server.on('checkExpectation', (_, response: ServerResponse) => {
    const problem = expectationFailed('Only "Expect: 100-continue" is understood here.')
    response.writeHead(problem.status, headersOf(problem, instanceId)).end(bodyOf(problem))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const before = latest.get(socket)
    const midAnswer = before?.headersSent && !before.writableFinished
    if (error.code === 'ECONNRESET' || !socket.writable || midAnswer) {
      socket.destroy()
      return
    }
    const problem = (faults[error.code ?? ''] ?? unreadable)()
    const head = Object.entries(headersOf(problem, instanceId)).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n`
    socket.end(`${status}${head.join('')}\r\n${bodyOf(problem)}`, () => socket.destroy())
  })
  return server
}

const unreadable = () => badRequest('It is not valid HTTP.')

/** What node's parser complains of, by its codes. */
const faults: Record<string, () => Problem> = {
  HPE_HEADER_OVERFLOW: () => headTooLarge('Send fewer or shorter headers: 16 KiB is the most.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: () => tooLarge('The extensions of a chunk are too long.'),
  ERR_HTTP_REQUEST_TIMEOUT: () => tooSlow('The request did not come in whole in time.'),
}

function headersOf(problem: Problem, instanceId: string): Record<string, string> {
  return {
    [identityHeader]: instanceId,
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(bodyOf(problem))),
    Connection: 'close',
  }
}

function bodyOf(problem: Problem): string {
  return JSON.stringify(problem.document())
}
