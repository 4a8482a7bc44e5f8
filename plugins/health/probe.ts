import { get } from 'node:http'
import type { HealthObservation, WatchedInstance } from '../provisioner/contract.ts'

const mostBytes = 64 * 1024

/**
 * Asks one instance how it is. Healthy is only an instance that answers 200 as itself: an address may have passed on to
 * another. Every way to fail has its words; nothing is thrown.
 */
export function probe(
  instance: WatchedInstance,
  timeoutMs: number,
  now: () => number,
): Promise<HealthObservation> {
  return new Promise(resolve => {
    const unhealthy = (reason: string) => {
      resolve({ healthy: false, at: now(), reason })
      request.destroy()
    }
    const request = get(
      {
        host: instance.host,
        port: instance.port,
        path: '/api/health',
        agent: false,
        headers: { 'Longhouse-Instance': instance.id, Accept: 'application/json' },
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
          resolve(reason === null ? { healthy: true, at: now() } : { healthy: false, at: now(), reason })
        })
      },
    )
    const timer = setTimeout(() => unhealthy(`it did not answer within ${timeoutMs} ms`), timeoutMs)
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      unhealthy(
        error.code === 'ECONNREFUSED'
          ? 'it refused the connection'
          : `it could not be reached (${error.code ?? error.message})`,
      )
    })
  })
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
  return status === 200 ? null : `it answered ${status}: ${body.slice(0, 500)}`
}
