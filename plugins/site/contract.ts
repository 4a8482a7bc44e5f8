import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { EntranceSettings } from '../../src/http/entrance/entrance.ts'
import type { Route } from '../../src/http/route.ts'
import type { CertificateSource } from '../../src/http/tls/certificate-store.ts'
import type { Brand } from '../../views/brand.tsx'

export const routerModes = ['direct', 'behind', 'labels'] as const
export const tlsModes = ['off', 'files', 'acme'] as const
export type RouterMode = (typeof routerModes)[number]

/** The site's addresses and folders: the settings that every plugin may read. */
export interface Site {
  domain: string
  host: string
  /** The port to listen on. Once listening, the actual port, if it was 0. */
  port: number
  /** The scheme and port that people see, when there is a proxy in front. */
  publicUrl: URL | null
  dataRoot: string
  trustedProxies: readonly string[]
  /** Who receives requests for instances: this program, a proxy that passes them on to it, or another router. */
  routerMode: RouterMode
  /** How HTTPS is served here; null when it is not. `port` becomes the actual one, as above. */
  tls: { mode: 'files' | 'acme'; port: number } | null
  /** How long browsers insist on HTTPS after a page of the control plane came over it. */
  hstsSeconds: number
  /** Addresses and ranges of proxies whose connections begin with the PROXY protocol. */
  proxyProtocol: readonly string[]
  /** The minimum rate of a request body, in bytes per second; 0 for none. */
  bodyRate: number
  /** How long requests in progress may take when the program stops, in milliseconds. */
  drainGraceMs: number
  production: boolean
  /** How the site presents itself to customers. */
  brand: Brand
}

export interface OpenListener {
  /** The ports that people reach. */
  port: number
  securePort: number | null
  /** No new requests may arrive; called while those in progress still end. */
  leave(): void
  /** Ends what `open-listener` opened, after the server is closed. */
  close(): Promise<void>
}

/** The public URL of a subdomain: `control`, or an instance's. */
export function siteUrl(site: Site, label: string): string {
  return hostUrl(site, `${label}.${site.domain}`)
}

/** The public URL of a host name that is served here. */
export function hostUrl(site: Site, host: string): string {
  const scheme = site.publicUrl?.protocol ?? 'http:'
  const port = site.publicUrl ? site.publicUrl.port : String(site.port)
  const suffix = port === '' || port === (scheme === 'https:' ? '443' : '80') ? '' : `:${port}`
  return `${scheme}//${host}${suffix}`
}

/** The control plane's own public origins; empty when LONGHOUSE_PUBLIC_URL is not set. */
export function ownOrigins(site: Site): string[] {
  return site.publicUrl ? [site.publicUrl.origin, siteUrl(site, 'control')] : []
}

/** The label in front of the site's domain, in lower case; '' for the bare domain, null for a host outside it. */
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
    /** Asked by the program for each route: returns the same route with a wrapped handler. */
    'around-route': (route: Route) => Route
    /**
     * Asked for each new connection, before anything is read from it. After false it is not read: the plugin has refused it, or it
     * is `encrypted` and gets closed.
     */
    'take-connection': (socket: Socket, encrypted: boolean) => boolean
    /** Takes a request before the pages do. Returning false leaves it to them. */
    'take-request': (request: IncomingMessage, response: ServerResponse) => boolean
    /** Takes a connection upgrade. Returning false leaves it to the next plugin; when none takes it, it is refused. */
    'take-upgrade': (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean
    /** Says where the certificates are that the listener shows. Asked when HTTPS is served here. */
    'certificate-source': () => { certificates: CertificateSource; challenges: string | null }
    /**
     * Has the program's server listen where only a trusted edge on this machine reaches it, which says in `X-Forwarded-…` who
     * the client is, and has that edge listen as `entrance` says. Throws a BootError when it cannot.
     */
    'open-listener': (server: Server, entrance: EntranceSettings) => Promise<OpenListener>
    /** Other origins that this plugin's forms may lead to. Asked for each page. */
    'form-targets': () => readonly string[]
  }
}
