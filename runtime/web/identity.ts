import type { MiddlewareHandler } from 'hono'
import { identityHeader } from '../../src/http/identity.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { misdirected } from './problems.ts'

/**
 * Says on every answer which instance gave it, and refuses what was meant for another: a router with an old address
 * must never hand one customer's request to another's instance.
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
    // After the answer is there: headers that were prepared before it are lost on one that is a bare Response.
    c.header(identityHeader, instanceId)
  }
}
