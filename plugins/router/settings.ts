import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { Site } from '../site/contract.ts'

/** What holds for all instances, where their rules say nothing else. Rates are a second; 0 is for no limit. */
export interface EdgeLimits {
  /** How many requests may be waiting or in progress at a time, per client and per instance. */
  perClient: number
  perInstance: number
  clientRate: number
  instanceRate: number
  /** The longest request body; 0 for no limit. */
  bodyBytes: number
}

/**
 * What an edge is set to. All of it is plain data, which survives JSON: an edge may run in processes of its own, which get it
 * from the control plane.
 */
export interface EdgeSettings {
  site: Site
  /** False when another proxy routes requests. Then only the control plane is served here. */
  routes: boolean
  responseTimeoutMs: number
  holdMs: number
  /** How many requests may be held at a time while their instances start. */
  holdLimit: number
  /** How much memory held requests may take together. */
  holdBytes: number
  limits: EdgeLimits
  /** The most connections of one client, behind trusted proxies aside; 0 for no limit. */
  connectionsPerClient: number
  /** Null for none. */
  accessLog: AccessLogSettings | null
  /** Which answers say where the time went: none, those to requests that ask for it, or all. */
  serverTiming: 'off' | 'asked' | 'on'
}

/** Settings that arrived as JSON. */
export function readSettings(plain: EdgeSettings): EdgeSettings {
  const { publicUrl } = plain.site
  return { ...plain, site: { ...plain.site, publicUrl: publicUrl === null ? null : new URL(publicUrl) } }
}

export interface EdgeOptions extends EdgeSettings {
  clock: Clock
  log: Logger
  misrouted(event: { instanceId: string; subdomain: string; reason: string }): void
}

export interface AccessLogSettings {
  format: 'json' | 'combined'
  /** Null for standard output. */
  file: string | null
  /** The share of requests that are logged, from 0 to 1. */
  sample: number
  /** Whether those that failed are logged in any case. */
  everyError: boolean
  /** Whether queries are logged. */
  query: boolean
}
