import type { IncomingMessage } from 'node:http'
import { hostForm } from '../../../src/http/address.ts'
import { badRequest, type Problem } from '../../../src/http/problem.ts'
import { labelOf, type Site } from '../../site/contract.ts'
import type { HostNames } from '../host-names.ts'
import { type Head, readHead } from './headers.ts'

/** Where a request goes, by its host. */
export type Target =
  | { kind: 'control' }
  /** The host as the client wrote it, and the request's path and query. */
  | { kind: 'instance'; subdomain: string; host: string; path: string; head: Head }
  /** A host outside the site's domain, and of no customer's. */
  | { kind: 'stranger'; path: string }
  | { kind: 'malformed'; problem: Problem }

const control: Target = { kind: 'control' }

/**
 * Reads where a request goes. There must be exactly one well-formed Host. An absolute request target must name the same host,
 * so that nothing behind us can read a different one.
 */
export function readTarget(site: Site, names: HostNames, request: IncomingMessage): Target {
  const head = readHead(request.rawHeaders)
  const { host, hosts } = head
  if (host === undefined) return malformed('The Host header is missing. Send it with the name of the host.')
  if (hosts > 1) return malformed('There is more than one Host header. Send exactly one.')
  const label = labelIn(site, host)
  if (label === undefined) return malformed('The Host header is not a host name with an optional port.')

  const url = request.url ?? ''
  let path = url
  if (!url.startsWith('/') && url !== '*') {
    const absolute = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(url)
    if (!absolute) return malformed('The request target is neither a path nor an http URL.')
    const [, authority = '', rest = ''] = absolute
    if (authority.toLowerCase() !== host.toLowerCase()) {
      return malformed('The request target and the Host header name different hosts. They must be the same.')
    }
    path = rest.startsWith('/') ? rest : `/${rest}`
  }

  if (label === '' || label === 'control') return control
  const subdomain = label ?? names.subdomainOf(plainName(host))
  if (subdomain === undefined) return { kind: 'stranger', path }
  return { kind: 'instance', subdomain, host, path, head }
}

/** A host in lower case, without its port and the dot at its end. */
export function plainName(host: string): string {
  const colon = host.lastIndexOf(':')
  const name = colon > 0 && !host.endsWith(']') ? host.slice(0, colon) : host
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}

/** The labels of the hosts that were asked for lately: most requests name one of few. */
const known = new WeakMap<Site, Map<string, string | null>>()
const mostKnown = 4096
/** Longer ones are no names of instances, and are not kept. */
const longestKnown = 260

/** The label of a host, as `labelOf` reads it; undefined when it is no host name. */
function labelIn(site: Site, host: string): string | null | undefined {
  const kept = known.get(site)?.get(host)
  if (kept !== undefined) return kept
  if (!hostForm.test(host)) return undefined
  const label = labelOf(site, host)
  if (host.length > longestKnown) return label
  const labels = known.get(site) ?? new Map<string, string | null>()
  if (labels.size >= mostKnown) labels.clear()
  known.set(site, labels.set(host, label))
  return label
}

function malformed(detail: string): Target {
  return { kind: 'malformed', problem: badRequest(detail) }
}
