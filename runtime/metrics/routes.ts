import { type Route, route } from '../../src/http/route.ts'
import type { WebContext } from '../web/context.ts'
import { createMetrics } from './metrics.ts'

export function metricsRoute({ engine, signedIn, clock }: WebContext, version: string): Route {
  const metrics = createMetrics({ clock, version })
  return route({
    method: 'get',
    path: '/metrics',
    operation: 'getMetrics',
    summary: 'Figures for Prometheus; a token with the scope `read` opens it',
    guard: signedIn,
    answers: { 200: { description: 'Text format 0.0.4', type: 'text/plain' } },
    handle: c =>
      c.body(metrics(engine()), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  })
}
