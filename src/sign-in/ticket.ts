import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** What brings a sign-in from the control plane to the host of an instance with a closed gate. */
export interface Ticket {
  /** The host that it is good for, in lower case and without a port. */
  host: string
  /** The id of the session at the control plane. */
  session: string
  generation: number
  /** Milliseconds since the epoch. */
  expiresAt: number
  /** A digest of what the browser keeps, a number used once, and the path to continue to. */
  state: string
  nonce: string
  path: string
}

const fields = ['host', 'session', 'generation', 'expiresAt', 'state', 'nonce', 'path'] as const

/** A key pair of Ed25519. What verifies can be kept anywhere: it signs nothing. */
export interface TicketKeys {
  signs: KeyObject
  /** In base64url, for `verifierFor`. */
  verifies: string
}

/** Before the 32 bytes of a private key of Ed25519 in PKCS #8 (RFC 8410, section 7). */
const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The keys that follow from a secret of 32 bytes. */
export function ticketKeys(secret: Buffer): TicketKeys {
  const signs = createPrivateKey({ key: Buffer.concat([prefix, secret]), format: 'der', type: 'pkcs8' })
  return { signs, verifies: createPublicKey(signs).export({ format: 'jwk' }).x ?? '' }
}

export function verifierFor(verifies: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: verifies }, format: 'jwk' })
}

/** The text fits a cookie and a query: two parts of base64url, with a dot between them. */
export function signTicket(key: KeyObject, ticket: Ticket): string {
  const body = Buffer.from(JSON.stringify(fields.map(name => ticket[name]))).toString('base64url')
  return `${body}.${sign(null, Buffer.from(body), key).toString('base64url')}`
}

/** Reads a ticket for this host; null for one that is malformed, forged or for another host. Its end is for the caller to check. */
export function readTicket(text: string, { key, host }: { key: KeyObject; host: string }): Ticket | null {
  const [body = '', signature = '', ...rest] = text.split('.')
  if (rest.length > 0 || !verify(null, Buffer.from(body), key, Buffer.from(signature, 'base64url')))
    return null
  // What is signed was written here.
  const values = JSON.parse(Buffer.from(body, 'base64url').toString()) as (string | number)[]
  const ticket = Object.fromEntries(fields.map((name, at) => [name, values[at]])) as unknown as Ticket
  return ticket.host === host ? ticket : null
}
