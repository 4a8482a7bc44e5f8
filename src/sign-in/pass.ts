import { createHmac, timingSafeEqual } from 'node:crypto'

/** What the gate of an instance goes by. */
export interface Pass {
  /** A `ticket` brings a sign-in from the control plane to the instance's host; a `pass` lets a browser through. */
  kind: 'ticket' | 'pass'
  /** The host that it is good for, in lower case and without a port. */
  host: string
  /** The id of the session at the control plane. */
  session: string
  generation: number
  /** Milliseconds since the epoch. */
  expiresAt: number
  /** Of a ticket: a digest of what the browser keeps, a number used once, and the path to continue to. */
  state: string
  nonce: string
  path: string
}

const fields = ['kind', 'host', 'session', 'generation', 'expiresAt', 'state', 'nonce', 'path'] as const

/** Signs a pass under a key of the instance. The text fits a cookie and a query. */
export function signPass(key: string, pass: Pass): string {
  const body = Buffer.from(JSON.stringify(fields.map(name => pass[name]))).toString('base64url')
  return `${body}.${macOf(key, body).toString('base64url')}`
}

/** Reads a pass of this kind for this host; null for one that is malformed, forged, for something else or over. */
export function readPass(
  text: string,
  { key, kind, host, now }: { key: string; kind: Pass['kind']; host: string; now: number },
): Pass | null {
  const [body = '', mac = '', ...rest] = text.split('.')
  const given = Buffer.from(mac, 'base64url')
  const right = macOf(key, body)
  if (rest.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return null
  // What is signed was written here.
  const values = JSON.parse(Buffer.from(body, 'base64url').toString()) as (string | number)[]
  const pass = Object.fromEntries(fields.map((name, at) => [name, values[at]])) as unknown as Pass
  return pass.kind === kind && pass.host === host && pass.expiresAt > now ? pass : null
}

function macOf(key: string, body: string): Buffer {
  return createHmac('sha256', Buffer.from(key, 'base64url')).update(body).digest()
}
