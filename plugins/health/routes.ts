import { z } from 'zod'
import { open, type Route, route } from '../../src/http/route.ts'
import type { Check } from '../../src/kernel/plugin.ts'
import { version } from '../../src/version.ts'

const healthSchema = z.object({
  status: z.enum(['ok', 'failing']),
  version: z.string(),
  checks: z.record(
    z.string(),
    z.object({ status: z.enum(['ok', 'failing']), reason: z.string().optional() }),
  ),
})

/**
 * Says whether the control plane can do its work: 200, or 503 with what fails. A check that does not answer within
 * `checkWithinMs` fails.
 */
export function healthRoutes(checks: () => ReadonlyMap<string, Check>, checkWithinMs = 2000): Route[] {
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
        const results = await Promise.all(
          [...checks()].map(async ([name, check]) => [name, await runCheck(check, checkWithinMs)] as const),
        )
        const ok = results.every(([, result]) => result.status === 'ok')
        c.header('Cache-Control', 'no-store')
        return c.json(
          { status: ok ? 'ok' : 'failing', version, checks: Object.fromEntries(results) },
          ok ? 200 : 503,
        )
      },
    }),
  ]
}

async function runCheck(
  check: Check,
  withinMs: number,
): Promise<{ status: 'ok' | 'failing'; reason?: string }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs)
  })
  try {
    await Promise.race([check(), late])
    return { status: 'ok' }
  } catch (error) {
    return { status: 'failing', reason: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}
