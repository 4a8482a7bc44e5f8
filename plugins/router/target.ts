import type { IncomingMessage } from 'node:http'
import { badRequest, type Problem } from '../../src/http/problem.ts'
import { labelOf, type Site } from '../site/contract.ts'
import { type Head, readHead } from './headers.ts'

/** What a request is for, by its host. */
export type Target =
  | { kind: 'control' }
  /** The host as the client wrote it, and the request's path and query. */
  | { kind: 'instance'; subdomain: string; host: string; path: string; head: Head }
  /** A host that is none of the site's. */
  | { kind: 'stranger'; path: string }
  | { kind: 'malformed'; problem: Problem }

const hostForm = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?)(:\d{1,5})?$/i
const control: Target = { kind: 'control' }

/**
 * Reads where a request goes. Exactly one well-formed Host decides; an absolute request target must name the same host,
 * so that nothing behind us can read another one out of it.
 */
export function readTarget(site: Site, request: IncomingMessage): Target {
  const head = readHead(request.rawHeaders)
  const { host, hosts } = head
  if (host === undefined) return malformed('A Host header is missing; it must name what is asked for.')
  if (hosts > 1) return malformed('Host is given more than once; it must be there exactly once.')
  if (!hostForm.test(host)) return malformed('Host is not a host name with an optional port.')

  const url = request.url ?? ''
  let path = url
  if (!url.startsWith('/') && url !== '*') {
    const absolute = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(url)
    if (!absolute) return malformed('The request target is neither a path nor an http address.')
    const [, authority = '', rest = ''] = absolute
    if (authority.toLowerCase() !== host.toLowerCase()) {
      return malformed('The request target and Host name different hosts; they must be the same.')
    }
    path = rest.startsWith('/') ? rest : `/${rest}`
  }

  const label = labelOf(site, host)
  if (label === '' || label === 'control') return control
  if (label === null) return { kind: 'stranger', path }
  return { kind: 'instance', subdomain: label, host, path, head }
}

function malformed(detail: string): Target {
  return { kind: 'malformed', problem: badRequest(detail) }
}
