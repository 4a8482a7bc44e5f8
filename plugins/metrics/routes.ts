import { type Guard, type Route, route } from '../../src/http/route.ts'
import { exposition, type Metric } from '../../src/metrics/exposition.ts'
import { brings } from './token.ts'

/** `token` reads metrics and nothing else; the operator may read them, too. */
export function metricsRoutes(options: {
  admin: Guard
  token: string | undefined
  read(): Promise<readonly Metric[]>
}): Route[] {
  const { admin, token, read } = options
  const guard: Guard = {
    schemes: admin.schemes,
    check: (c, next) =>
      token !== undefined && brings(c.req.header('authorization'), token) ? next() : admin.check(c, next),
  }
  return [
    route({
      method: 'get',
      path: '/metrics',
      operation: 'getMetrics',
      summary: 'Metrics for Prometheus, with the admin token or the one of METRICS_TOKEN',
      guard,
      role: 'read',
      answers: { 200: { description: 'Text format 0.0.4', type: 'text/plain' } },
      handle: async c =>
        c.body(exposition(await read()), 200, {
          'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
          'Cache-Control': 'no-store',
        }),
    }),
  ]
}
