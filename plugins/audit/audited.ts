import { inOccasion, type Occasion, type Principal } from '../../src/acting.ts'
import { Problem } from '../../src/http/problem.ts'
import type { AppContext, Route } from '../../src/http/route.ts'
import type { AuditLog } from './log.ts'

const visitor: Principal = { kind: 'visitor', id: 'visitor', name: 'not signed in' }

/**
 * Wraps a route so that what is done through it is recorded. Every route that may change something is wrapped, so none is
 * forgotten. A change that its feature records in its own transaction is not recorded twice. What an operator or one of their
 * tokens is refused is recorded, too; what others are refused only where they may be guessing, or the log would fill with it.
 */
export function audited(route: Route, audit: AuditLog): Route {
  const { method, path, audit: how } = route
  if (typeof how === 'object' || (method === 'get' && how === undefined)) return route
  const via = `${method.toUpperCase()} ${path}`
  const occasionOf = (c: AppContext): Occasion => ({
    principal: () => c.get('principal') ?? visitor,
    ...{ via, address: c.get('client'), requestId: c.get('requestId'), recorded: 0 },
  })
  const write = (c: AppContext, occasion: Occasion, status: number) => {
    const refused = status >= 400
    if (!refused && (occasion.recorded > 0 || c.get('about') === null)) return
    if (status === 429) return
    const { kind } = occasion.principal()
    const about = c.get('about')
    // A stranger who had nothing to guess at fills no log.
    const isGuess = how === 'refusals' && about !== null
    if (refused && !isGuess && kind !== 'operator' && kind !== 'token') return
    const target = typeof about === 'string' ? about : Object.values(c.req.param()).join(' ')
    const result = !refused ? 'done' : status >= 500 ? 'failed' : 'refused'
    try {
      inOccasion(occasion, () => audit.record({ action: via, target, result, status }))
    } catch (error) {
      c.get('log').error({ err: error, path: c.req.path }, 'a change is missing in the audit log')
    }
  }
  return {
    ...route,
    guard: {
      ...route.guard,
      check: async (c, next) => {
        try {
          return await route.guard.check(c, next)
        } catch (error) {
          // Only the guard's own refusals get here: the program catches what the handler throws.
          if (error instanceof Problem && error.status === 403) write(c, occasionOf(c), error.status)
          throw error
        }
      },
    },
    handle: async (c, input) => {
      const occasion = occasionOf(c)
      try {
        const response = await inOccasion(occasion, () => route.handle(c, input))
        write(c, occasion, response.status)
        return response
      } catch (error) {
        write(c, occasion, error instanceof Problem ? error.status : 500)
        throw error
      }
    },
  }
}
