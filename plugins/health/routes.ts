import { z } from 'zod'
import { open, type Route, route } from '../../src/http/route.ts'
import { version } from '../../src/version.ts'
import type { HealthService } from './contract.ts'

const healthSchema = z.object({
  status: z.enum(['ok', 'failing']),
  version: z.string(),
  checks: z.record(
    z.string(),
    z.object({ status: z.enum(['ok', 'failing']), reason: z.string().optional() }),
  ),
})

/** Says whether the control plane can do its work: 200, or 503 with what fails. */
export function healthRoutes(checkAll: HealthService['checkAll']): Route[] {
  return [
    route({
      method: 'get',
      path: '/health',
      // Watchers outside add what keeps caches from answering.
      anyQuery: true,
      summary: 'Whether the control plane works',
      guard: open,
      answers: {
        200: { description: 'Every check passes', schema: healthSchema },
        503: { description: 'A check fails', schema: healthSchema },
      },
      handle: async c => {
        const results = await checkAll()
        const ok = [...results.values()].every(({ status }) => status === 'ok')
        c.header('Cache-Control', 'no-store')
        const checks = Object.fromEntries(
          [...results].map(([name, { status, reason }]) => [name, { status, reason }]),
        )
        return c.json({ status: ok ? 'ok' : 'failing', version, checks }, ok ? 200 : 503)
      },
    }),
  ]
}
