import { z } from 'zod'
import { isFromHost } from '../../src/http/identity.ts'
import { type AppContext, open, type Route, route } from '../../src/http/route.ts'
import type { Check } from '../../src/kernel/plugin.ts'
import type { Logger } from '../../src/log.ts'
import type { JobsService, RunStatus } from '../jobs/contract.ts'
import type { Health, HealthReport } from './contract.ts'

export interface HealthParts {
  instanceId: string
  version: string
  jobs: Pick<JobsService, 'phase' | 'manifest' | 'runs'>
  checks: () => ReadonlyMap<string, Check>
  log: Logger
}

const healthShape = z.object({
  status: z.enum(['ok', 'starting', 'stopping', 'failing']),
  instance_id: z.string(),
  version: z.string(),
  checks: z.record(z.string(), z.string()).meta({
    description:
      '`ok` or `failing`; when you are signed in, what is wrong. `manifest` is the status of the manifest',
  }),
  runs: z.object({ running: z.int(), queued: z.int() }).optional().meta({
    description: 'Runs in progress and queued; when you are signed in, or ask from the host itself',
  }),
})

/** The service, and what it knows besides for callers who are signed in. */
export interface InstanceHealth extends Health {
  reportInWords(): Promise<HealthReport>
}

/**
 * Reports whether the instance can do its work. A manifest that does not load is reported without making the instance
 * unhealthy, because the last good set keeps running. Anyone may see which check fails. The reasons may name a job
 * and quote its error: they are for callers who are signed in, and for the log.
 */
export function instanceHealth({ instanceId, version, jobs, checks: all, log }: HealthParts): InstanceHealth {
  let logged = ''
  /** Polled several times a minute: a lasting failure is logged once. */
  const logChange = (failing: Record<string, string>) => {
    const words = JSON.stringify(failing)
    if (words !== logged && words !== '{}') log.warn({ failing }, 'a health check fails')
    logged = words
  }
  const look = async () => {
    const { status, checks, failing } = await examine(jobs, all())
    logChange(failing)
    const short = Object.fromEntries(Object.keys(failing).map(name => [name, 'failing']))
    return { report: { status, instance_id: instanceId, version, checks }, short }
  }
  const total = (status: RunStatus) => jobs.runs.list({ status, limit: 1, offset: 0 }).total
  /** A database that cannot count must not block the response. */
  const runs = (): Pick<HealthReport, 'runs'> => {
    try {
      return jobs.phase() === 'running'
        ? { runs: { running: total('running'), queued: total('queued') } }
        : {}
    } catch {
      return {}
    }
  }
  return {
    report: async fromHost => {
      const { report, short } = await look()
      return { ...report, checks: { ...report.checks, ...short }, ...(fromHost && runs()) }
    },
    started: () => jobs.manifest.whenReady(),
    reportInWords: async () => ({ ...(await look()).report, ...runs() }),
  }
}

/** `isAuthenticated` is true for callers who are signed in or have a token. */
export function healthRoute(health: InstanceHealth, isAuthenticated: (c: AppContext) => boolean): Route {
  /** A database that cannot authenticate the caller must not block the response. */
  const mayKnow = (c: AppContext) => {
    try {
      return isAuthenticated(c)
    } catch {
      return false
    }
  }
  return route({
    method: 'get',
    path: '/api/health',
    early: true,
    // Monitoring services add parameters to bypass caches.
    anyQuery: true,
    summary: 'Whether this instance is ready',
    guard: open,
    answers: {
      200: { description: 'Ready', schema: healthShape },
      503: { description: 'Not ready; `checks` says why', schema: healthShape },
    },
    handle: async c => {
      c.header('Cache-Control', 'no-store')
      const report = await (mayKnow(c) ? health.reportInWords() : health.report(isFromHost(c.req.header())))
      return c.json(report, report.status === 'ok' ? 200 : 503)
    },
  })
}

interface Examination {
  status: 'ok' | 'starting' | 'stopping' | 'failing'
  checks: Record<string, string>
  /** The failing checks, each with its reason. */
  failing: Record<string, string>
}

async function examine(jobs: HealthParts['jobs'], all: ReadonlyMap<string, Check>): Promise<Examination> {
  const phase = jobs.phase()
  if (phase !== 'running') return { status: phase, checks: { engine: phase }, failing: {} }
  const found = await Promise.all(
    [...all].map(async ([name, check]): Promise<[string, string]> => {
      try {
        await check()
        return [name, 'ok']
      } catch (error) {
        return [name, error instanceof Error ? error.message : String(error)]
      }
    }),
  )
  const failing = Object.fromEntries(found.filter(([, words]) => words !== 'ok'))
  const checks = { ...Object.fromEntries(found), manifest: jobs.manifest.state().status }
  const well = jobs.manifest.ready() ? 'ok' : 'starting'
  return { status: found.every(([, words]) => words === 'ok') ? well : 'failing', checks, failing }
}
