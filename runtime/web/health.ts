import { z } from 'zod'
import { open, type Route, route } from '../../src/http/route.ts'
import type { Engine } from '../contract.ts'

export interface HealthParts {
  instanceId: string
  version: string
  /** Null until there is one. */
  engine(): Engine | null
}

const healthShape = z.object({
  status: z.enum(['ok', 'starting', 'stopping', 'failing']),
  instance_id: z.string(),
  version: z.string(),
  checks: z.record(z.string(), z.string()).meta({ description: '`ok`, or what is wrong' }),
})

/**
 * Whether the instance can do its work. A manifest that does not load is told, but the last good set keeps running,
 * so that it makes nobody restart anything. Anyone may ask: it tells no words of the customer's code.
 */
export function healthRoute({ instanceId, version, engine }: HealthParts): Route {
  return route({
    method: 'get',
    path: '/api/health',
    // Watchers outside add what keeps caches from answering.
    anyQuery: true,
    summary: 'Whether this instance is ready',
    guard: open,
    answers: {
      200: { description: 'Ready', schema: healthShape },
      503: { description: 'Not ready; `checks` says why', schema: healthShape },
    },
    handle: async c => {
      c.header('Cache-Control', 'no-store')
      const { status, checks } = await examine(engine())
      return c.json({ status, instance_id: instanceId, version, checks }, status === 'ok' ? 200 : 503)
    },
  })
}

async function examine(
  engine: Engine | null,
): Promise<{ status: 'ok' | 'starting' | 'stopping' | 'failing'; checks: Record<string, string> }> {
  if (!engine) return { status: 'starting', checks: { engine: 'starting' } }
  if (engine.stopping()) return { status: 'stopping', checks: { engine: 'stopping' } }
  const found = await Promise.all(
    [...engine.checks].map(async ([name, check]): Promise<[string, string]> => {
      try {
        await check()
        return [name, 'ok']
      } catch (error) {
        return [name, error instanceof Error ? error.message : String(error)]
      }
    }),
  )
  const failing = found.some(([, words]) => words !== 'ok')
  const checks = { ...Object.fromEntries(found), manifest: engine.manifest().status }
  return { status: failing ? 'failing' : engine.ready() ? 'ok' : 'starting', checks }
}
