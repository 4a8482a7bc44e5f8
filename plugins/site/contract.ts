import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Where a control plane lives: the settings that every plugin may read. */
export interface Site {
  domain: string
  host: string
  /** Where we listen; when it was 0, the port that the system chose, once we do. */
  port: number
  /** Scheme and port that people see, when a proxy stands in front of us. */
  publicUrl: URL | null
  dataRoot: string
  trustedProxies: readonly string[]
  /** Who receives the requests for instances: we, a proxy that passes all of them to us, or another router. */
  routerMode: 'direct' | 'behind' | 'labels'
  /** The least that a request body must bring, in bytes a second; 0 for no minimum. */
  bodyRate: number
  production: boolean
}

/** The address of one name of the site as people see it: `control`, or an instance's subdomain. */
export function siteUrl(site: Site, label: string): string {
  const scheme = site.publicUrl?.protocol ?? 'http:'
  const port = site.publicUrl ? site.publicUrl.port : String(site.port)
  const suffix = port === '' || port === (scheme === 'https:' ? '443' : '80') ? '' : `:${port}`
  return `${scheme}//${label}.${site.domain}${suffix}`
}

/** The control plane's own origins as people see them, where that is said. */
export function ownOrigins(site: Site): string[] {
  return site.publicUrl ? [site.publicUrl.origin, siteUrl(site, 'control')] : []
}

/** The label in front of the site's domain, lower-cased; '' for the bare domain, null when the host is another's. */
export function labelOf(site: Site, host: string): string | null {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
  if (name === site.domain) return ''
  return name.endsWith(`.${site.domain}`) ? name.slice(0, -site.domain.length - 1) || null : null
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    site: Site
  }
  interface Hooks {
    /** Takes a request before the pages do; false leaves it to them. */
    'take-request': (request: IncomingMessage, response: ServerResponse) => boolean
    /** Takes a connection upgrade; false leaves it to the next plugin. One that no plugin takes is refused. */
    'take-upgrade': (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean
    /** Origins elsewhere to which forms of this plugin's pages lead; asked with each page. */
    'form-targets': () => readonly string[]
  }
}
