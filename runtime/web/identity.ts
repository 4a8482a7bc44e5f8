import type { MiddlewareHandler } from 'hono'
import { identityHeader } from '../../src/http/identity.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { misdirected } from './problems.ts'

/**
 * Names the instance in every response, and refuses requests for another one: a router with an outdated address must
 * never send one customer's request to another's instance.
 */
export function answerAs(instanceId: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const meant = c.req.header(identityHeader)
    if (meant !== undefined && meant !== instanceId) {
      throw misdirected('The request names another instance. Look up its address again.', {
        headers: { [identityHeader]: instanceId },
      })
    }
    await next()
    // After the handler: headers set earlier are lost if it returns a bare Response.
    c.header(identityHeader, instanceId)
  }
}
