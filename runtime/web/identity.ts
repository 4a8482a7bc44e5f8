import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../../src/http/route.ts'
import { misdirected } from './problems.ts'

const header = 'Longhouse-Instance'

/**
 * Says on every answer which instance gave it, and refuses what was meant for another: a router with an old address
 * must never hand one customer's request to another's instance.
 */
export function answerAs(instanceId: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.header(header, instanceId)
    const meant = c.req.header(header)
    if (meant !== undefined && meant !== instanceId) {
      throw misdirected(
        'The request names another instance than the one that answers. Look its address up again.',
      )
    }
    await next()
  }
}
