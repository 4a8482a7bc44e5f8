import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '../../../src/http/problem.ts'
import { RefusalPage, refusalStyle } from '../../../views/router/refusal-page.tsx'

/** As strict as the control plane's. The style is inline, because the host belongs to a tenant. */
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(refusalStyle).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Answers a request that cannot be passed on: a page for browsers, problem details for everyone else. */
export function refuse(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const page = wantsPage(request)
  const retryAfter = Number(problem.headers['Retry-After'] ?? 0)
  const body = page
    ? `<!doctype html>${RefusalPage({ title: problem.title, detail: problem.detail, refresh: retryAfter })}`
    : JSON.stringify(problem.document())
  response.writeHead(problem.status, {
    'Content-Type': page ? 'text/html; charset=utf-8' : 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'Content-Security-Policy': contentSecurityPolicy,
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    Vary: 'Accept',
    ...problem.headers,
  })
  response.end(body)
}

/** Whether a browser is loading a page. A form's data would be lost by a page that reloads itself. */
export function loadsPage(request: IncomingMessage): boolean {
  return wantsPage(request) && (request.method === 'GET' || request.method === 'HEAD')
}

function wantsPage(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').toLowerCase().includes('text/html')
}
