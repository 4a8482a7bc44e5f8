import { get } from 'node:http'
import type { HealthObservation, RunsNow, WatchedInstance } from '../provisioner/contract.ts'

const mostBytes = 64 * 1024
/** An instance that is asked to wait may take this much longer to answer. */
const mostWaitMs = 1500

/**
 * Asks one instance for its health, once. It is healthy when it answers 200 under its own id: its address may belong to
 * another instance by now. `answers` tells an instance whose checks fail from one that does not answer. Never throws:
 * each way to fail is a reason in words. With `waits`, an instance that starts may answer up to a second later, when it is ready.
 */
export function probe(
  instance: WatchedInstance,
  timeoutMs: number,
  now: () => number,
  waits = false,
): Promise<HealthObservation> {
  return new Promise(resolve => {
    const unhealthy = (reason: string) => {
      clearTimeout(timer)
      resolve({ healthy: false, at: now(), answers: false, reason })
      request.destroy()
    }
    const request = get(
      {
        host: instance.host,
        port: instance.port,
        path: '/api/health',
        agent: false,
        headers: {
          'Longhouse-Instance': instance.id,
          Accept: 'application/json',
          ...(waits && timeoutMs > mostWaitMs && { Prefer: 'wait=1' }),
        },
      },
      response => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          body += chunk
          if (body.length > mostBytes) unhealthy('it answered more than a health check may')
        })
        response.on('error', error => unhealthy(`the answer broke off: ${error.message}`))
        response.on('end', () => {
          clearTimeout(timer)
          const reason = faultOf(instance, response.statusCode ?? 0, body)
          if (reason === null) return resolve({ healthy: true, at: now(), ...detailsOf(body) })
          // The router goes by the same header.
          const answers =
            response.statusCode !== 421 && response.headers['longhouse-instance'] === instance.id
          resolve({ healthy: false, at: now(), answers, starting: isStarting(body), reason })
        })
      },
    )
    const timer = setTimeout(() => unhealthy(`it did not answer within ${timeoutMs} ms`), timeoutMs)
    request.on('error', (error: NodeJS.ErrnoException) => {
      unhealthy(
        error.code === 'ECONNREFUSED'
          ? 'it refused the connection'
          : `it could not be reached (${error.code ?? error.message})`,
      )
    })
  })
}

/** What a healthy instance says besides, as far as it makes sense. */
function detailsOf(body: string): { version?: string; runs?: RunsNow } {
  const { version, runs } = JSON.parse(body) as { version?: unknown; runs?: Record<string, unknown> | null }
  const { running, queued } = runs ?? {}
  return {
    ...(typeof version === 'string' && { version: version.slice(0, 100) }),
    ...(isCount(running) && isCount(queued) && { runs: { running, queued } }),
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Whether a health document says that the instance is not ready yet. */
function isStarting(body: string): boolean {
  try {
    return (JSON.parse(body) as { status?: unknown }).status === 'starting'
  } catch {
    return false
  }
}

function faultOf(instance: WatchedInstance, status: number, body: string): string | null {
  if (status === 421) return 'another instance answers at its address'
  let answer: { instance_id?: unknown; checks?: unknown }
  try {
    answer = JSON.parse(body) as typeof answer
  } catch {
    return `it answered ${status} with something that is not a health document`
  }
  if (status === 200 && answer.instance_id !== instance.id) return 'another instance answers at its address'
  return status === 200
    ? null
    : (failingChecks(answer.checks) ?? `it answered ${status}: ${body.slice(0, 500)}`)
}

/**
 * Names the checks that fail, with reasons if the instance gives any: it keeps them for its owner and its log. Null when
 * none fails. A broken manifest is the customer's concern, and no fault of the instance.
 */
function failingChecks(checks: unknown): string | null {
  if (typeof checks !== 'object' || checks === null) return null
  const failing = Object.entries(checks).filter(([name, words]) => name !== 'manifest' && words !== 'ok')
  if (failing.length === 0) return null
  return `it answers, and its checks fail: ${failing.map(([name, words]) => (words === 'failing' ? name : `${name}: ${words}`)).join('; ')}`.slice(
    0,
    500,
  )
}
