import { Problem } from '../../src/http/problem.ts'
import type { AppContext, Route } from '../../src/http/route.ts'
import type { AuditLog } from './audit-log.ts'

/** Refusals are recorded too: they may be guesses. */
const doors = new Set(['/api/auth/password'])

/**
 * Wraps a route so that it records its changes. Every route that may change something is wrapped, so none is
 * forgotten. A failure to record is logged, because the change has already happened.
 */
export function audited(route: Route, audit: AuditLog): Route {
  if (route.method === 'get') return route
  const put = (c: AppContext, status: number, { target, body }: { target: string; body: unknown }) => {
    const actor = c.get('actor')
    try {
      audit.write({
        actorKind: actor?.kind ?? null,
        actorName: actor?.name ?? null,
        address: c.get('client'),
        action: `${route.method.toUpperCase()} ${route.path}`,
        summary: route.summary,
        target,
        fields: Object.keys(body ?? {})
          .filter(name => name !== 'next')
          .join(','),
        status,
        requestId: c.get('requestId'),
      })
    } catch (error) {
      c.get('log').error({ err: error, path: c.req.path }, 'a change is missing in the audit log')
    }
  }
  const write = (c: AppContext, status: number, { params, body }: { params: unknown; body: unknown }) => {
    if (status >= 400 && !doors.has(route.path)) return
    const about = c.get('about')
    if (about instanceof Promise) {
      const late = (target: string | null) => target === null || put(c, status, { target, body })
      void about.then(late, error => c.get('log').error({ err: error }, 'what was changed is not known'))
    } else if (about !== null)
      put(c, status, { target: about ?? Object.values(params ?? {}).join(' '), body })
  }
  return {
    ...route,
    handle: async (c, input) => {
      try {
        const response = await route.handle(c, input)
        write(c, response.status, input)
        return response
      } catch (error) {
        write(c, error instanceof Problem ? error.status : 500, input)
        throw error
      }
    },
  }
}
