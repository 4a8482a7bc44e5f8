import type { Clock } from '../../src/clock.ts'
import { type Guard, type Route, route } from '../../src/http/route.ts'
import type { JobsService } from '../jobs/contract.ts'
import { createMetrics } from './metrics.ts'

export function metricsRoute({
  jobs,
  guard,
  clock,
  version,
}: {
  jobs: JobsService
  guard: Guard
  clock: Clock
  version: string
}): Route {
  const metrics = createMetrics({ clock, version })
  return route({
    method: 'get',
    path: '/metrics',
    operation: 'getMetrics',
    summary: 'Metrics for Prometheus; needs a token with the scope `read`',
    guard,
    answers: { 200: { description: 'Text format 0.0.4', type: 'text/plain' } },
    handle: c => c.body(metrics(jobs), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  })
}
