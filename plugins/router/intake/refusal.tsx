import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '../../../src/http/problem.ts'
import type { Brand } from '../../../views/brand.tsx'
import { RefusalPage, refusalStyle } from '../../../views/router/refusal-page.tsx'
import * as problems from './problems.ts'
import { requestIdOf } from './request-id.ts'

/** Returns how many bytes the body of the answer has; 0 when none can be sent. */
export type Refuse = (request: IncomingMessage, response: ServerResponse, problem: Problem) => number

/** Beyond this, a person does not wait in front of a page. */
const longestRefreshSeconds = 30

/**
 * Answers requests that cannot be passed on: a page for browsers, problem details for everyone else. `controlPlane` is the
 * control plane's public address.
 */
export function refuseAs({ brand, controlPlane }: { brand: Brand; controlPlane(): string }): Refuse {
  const contentSecurityPolicy = policyFor(brand)
  return (request, response, problem) => {
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return 0
    }
    const page = wantsPage(request)
    const reference = requestIdOf(request)
    const { title, detail } = problem
    const body = page
      ? `<!doctype html>${RefusalPage({
          ...{ brand, title, detail },
          refresh: isLoad(request) ? refreshSeconds(problem) : 0,
          links: linksFor(problem, isLoad(request), controlPlane()),
          sent: isLoad(request) ? null : fateOfForm(problem),
          reference,
        })}`
      : JSON.stringify(problem.document(reference))
    const bytes = Buffer.byteLength(body)
    response.writeHead(problem.status, {
      'Content-Type': page ? 'text/html; charset=utf-8' : 'application/problem+json',
      'Content-Length': bytes,
      'Cache-Control': 'no-store',
      'Content-Security-Policy': contentSecurityPolicy,
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      Vary: 'Accept',
      'X-Request-Id': reference,
      ...problem.headers,
    })
    response.end(body)
    return request.method === 'HEAD' ? 0 : bytes
  }
}

/** Whether a browser is loading a page. A form's data would be lost by a page that reloads itself. */
export function loadsPage(request: IncomingMessage): boolean {
  return wantsPage(request) && isLoad(request)
}

function wantsPage(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').toLowerCase().includes('text/html')
}

function isLoad({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** As strict as the control plane's. Style and logo are inline, because the host belongs to a tenant. */
function policyFor(brand: Brand): string {
  const style = createHash('sha256').update(refusalStyle(brand)).digest('base64')
  return [
    "default-src 'none'",
    `style-src 'sha256-${style}'`,
    ...(brand.logo ? ['img-src data:'] : []),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Only what passes by itself, and soon, is worth waiting for. */
function refreshSeconds({ status, headers }: Problem): number {
  const seconds = Number(headers['Retry-After'] ?? 0)
  const passes = status === 429 || status === 502 || status === 503
  return passes && seconds <= longestRefreshSeconds ? seconds : 0
}

function linksFor({ code }: Problem, isLoad: boolean, controlPlane: string) {
  const retry = isLoad ? [{ href: '', label: 'Try again' }] : []
  switch (code) {
    case problems.stopped.code:
    case problems.suspended.code:
      return [{ href: `${controlPlane}/instances`, label: 'Sign in as the owner' }]
    case problems.unknownAddress.code:
      return [{ href: controlPlane, label: 'Go to the start page' }]
    case problems.unreachable.code:
    case problems.timedOut.code:
    case problems.controlUnreachable.code:
    case problems.controlTimedOut.code:
      return retry
    default:
      return []
  }
}

/** Whether a form's data reached the instance; nothing where sending it again would not help. */
function fateOfForm({ status }: Problem): string | null {
  if (status === 502 || status === 504)
    return 'What you sent may have arrived. Check that before you send it again.'
  if (status !== 429 && status !== 503) return null
  return 'What you sent did not arrive. To send it again, reload this page.'
}
