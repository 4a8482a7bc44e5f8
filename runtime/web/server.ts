import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { identityHeader, identityPath } from '../../src/http/identity.ts'
import { createListener } from '../../src/http/listener/listener.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { refusalDocument } from '../../views/router/refusal-page.tsx'

/**
 * The HTTP server of an instance. Responses sent before the app is called, because a request cannot be read, name the
 * instance too: a router treats a response without a name as another instance’s.
 */
export function createInstanceServer(app: Pick<Hono<AppEnv>, 'fetch'>, instanceId: string): Server {
  const answer = getRequestListener(app.fetch as (request: Request, env: unknown) => Promise<Response>, {
    overrideGlobalObjects: false,
  })
  const take = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader(identityHeader, instanceId)
    if (request.method === 'HEAD' && request.url === identityPath) {
      response.writeHead(204).end()
      return
    }
    void answer(request, response)
  }
  return createListener({
    named: { [identityHeader]: instanceId },
    page: refusalDocument,
    answer: take,
    expect: (request, response) => {
      response.writeContinue()
      take(request, response)
    },
  })
}
