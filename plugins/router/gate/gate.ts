import { createHash, type KeyObject, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../src/clock.ts'
import { localPath } from '../../../src/http/local-path.ts'
import type { Problem } from '../../../src/http/problem.ts'
import { sessionCookieName } from '../../../src/http/session-cookie.ts'
import { readTicket, type Ticket, verifierFor } from '../../../src/sign-in/ticket.ts'
import { type Site, siteUrl } from '../../site/contract.ts'
import { gateTicketMs, gateTicketPath, operatorSession, type RouteGate } from '../contract.ts'
import { loadsPage } from '../intake/refusal.tsx'
import { plainName } from '../intake/target.ts'
import { gateClosed, letIn, signInFirst, ticketRefused } from './problems.ts'
import { isPublicPath } from './public-path.ts'

const minute = 60_000
/** An owner's pass ends with the session besides; an operator's has no session here, so it is short. */
const ownerPassMs = 12 * 60 * minute
const operatorPassMs = 10 * minute
/** How long a sign-in may take. */
const stateSeconds = 600
const longestPath = 1000
const mostKept = 1000

export interface GateParts {
  site: Site
  clock: Clock
  /** Tickets that were used, with their ends. All gates of an edge share them. */
  used: Map<string, number>
}

/**
 * Lets only signed-in owners and operators through to an instance. A browser without a pass goes to the control plane, which knows who is
 * signed in, and returns with a ticket; for that it gets a pass, a cookie of this host alone:
 *
 * 1. A page load without a pass: a cookie with a secret, and a redirect to the control plane with the secret's digest.
 * 2. The control plane checks the session and redirects back with a signed ticket, which has the digest in it.
 * 3. A ticket whose digest fits the cookie is used once: the browser gets a pass, and continues to where it was.
 *
 * A pass is the ticket with the secret behind it. So an edge signs nothing and has no secret key, and a ticket that is used again at
 * another edge, which cannot know, gives the same pass with the same end.
 */
export class Gate {
  readonly #rule: RouteGate
  readonly #parts: GateParts
  readonly #sessions: ReadonlySet<string>
  readonly #cookies: { pass: string; state: string; attributes: string }
  /** Passes that were verified, with their ends: most requests have one of few. */
  readonly #verified = new Map<string, number>()
  #verifier: KeyObject | null = null

  constructor(rule: RouteGate, parts: GateParts) {
    this.#rule = rule
    this.#parts = parts
    this.#sessions = new Set(rule.sessions)
    const https = parts.site.publicUrl?.protocol === 'https:'
    this.#cookies = {
      pass: sessionCookieName(https, 'gate'),
      state: sessionCookieName(https, 'gate_state'),
      attributes: `; Path=/; HttpOnly; SameSite=Lax${https ? '; Secure' : ''}`,
    }
  }

  /** Whether someone who passes here would not pass there. */
  isLooserThan(next: RouteGate): boolean {
    return (
      next.generation !== this.#rule.generation || this.#rule.sessions.some(id => !next.sessions.includes(id))
    )
  }

  /** Null when the request may pass; otherwise what to answer. `host` is as the client sent it. */
  check(request: IncomingMessage, { host, path }: { host: string; path: string }): Problem | null {
    const name = plainName(host)
    const isTicket = path.startsWith(`${gateTicketPath}?`)
    if (isTicket && request.method === 'GET') return this.#arrive(request, name, path)
    if (isPublicPath(path, this.#rule.publicPaths)) return null
    if (this.#passes(request, name)) return null
    return loadsPage(request) ? this.#askToSignIn(request, name, path) : this.#refuse()
  }

  #passes(request: IncomingMessage, host: string): boolean {
    const text = cookieOf(request, this.#cookies.pass)
    if (text === undefined) return false
    const now = this.#parts.clock.now()
    const known = this.#verified.get(`${host} ${text}`)
    if (known !== undefined) return known > now
    const split = text.lastIndexOf('.')
    const ticket = this.#read(text.slice(0, split), host)
    if (!ticket || ticket.state !== digest(text.slice(split + 1)) || !this.#isIn(ticket.session)) return false
    const end = ticket.expiresAt - gateTicketMs + lifeOf(ticket)
    if (end <= now) return false
    if (this.#verified.size >= mostKept) this.#verified.clear()
    this.#verified.set(`${host} ${text}`, end)
    return true
  }

  #isIn(session: string): boolean {
    return session === operatorSession || this.#sessions.has(session)
  }

  /** The ticket of a text; null for one that is not for this host or this generation. It may be too old. */
  #read(text: string, host: string): Ticket | null {
    this.#verifier ??= verifierFor(this.#rule.verifies)
    const ticket = readTicket(text, { key: this.#verifier, host })
    return ticket?.generation === this.#rule.generation ? ticket : null
  }

  #askToSignIn(request: IncomingMessage, host: string, path: string): Problem {
    const { state: name, attributes } = this.#cookies
    const kept = cookieOf(request, name)
    // Several tabs may sign in at the same time: they share the secret.
    const secret =
      kept !== undefined && /^[\w-]{43}$/.test(kept) ? kept : randomBytes(32).toString('base64url')
    const next = path.length > longestPath ? '/' : localPath(path, '/')
    const query = new URLSearchParams({ host, state: digest(secret), path: next })
    const there = `${siteUrl(this.#parts.site, 'control')}/gate?${query}`
    return signInFirst(`Continue at ${there}`, {
      headers: { Location: there, 'Set-Cookie': `${name}=${secret}${attributes}; Max-Age=${stateSeconds}` },
    })
  }

  #refuse(): Problem {
    const { site } = this.#parts
    return gateClosed(
      `Its owner closed it to everyone else. Sign in at ${siteUrl(site, 'control')}, and open the instance in the same browser.`,
      // A part of a page that is open already: reloading it leads to the sign-in.
      { headers: { 'WWW-Authenticate': 'Session realm="longhouse"', 'HX-Refresh': 'true' } },
    )
  }

  #arrive(request: IncomingMessage, host: string, path: string): Problem {
    const { clock, used } = this.#parts
    const { pass: name, state, attributes } = this.#cookies
    const now = clock.now()
    const text = new URLSearchParams(path.slice(path.indexOf('?'))).get('ticket') ?? ''
    const read = this.#read(text, host)
    const ticket = read && read.expiresAt > now ? read : null
    // Back and again, or the other tab: the browser is in already.
    if (ticket && this.#passes(request, host))
      return letIn('Continue.', { headers: { Location: ticket.path } })
    const secret = cookieOf(request, state)
    const isOwn = secret !== undefined && ticket?.state === digest(secret)
    if (!ticket || !isOwn || used.has(ticket.nonce))
      return ticketRefused(
        'It did not start in this browser, was used before, or is too old. Open the instance’s address again.',
      )
    if (used.size >= mostKept) for (const [nonce, end] of used) if (end <= now) used.delete(nonce)
    used.set(ticket.nonce, ticket.expiresAt)
    return letIn('Continue.', {
      headers: {
        Location: localPath(ticket.path, '/'),
        'Set-Cookie': `${name}=${text}.${secret}${attributes}; Max-Age=${lifeOf(ticket) / 1000}`,
      },
    })
  }
}

/** How long the pass of a ticket lasts, in milliseconds. */
function lifeOf({ session }: Ticket): number {
  return session === operatorSession ? operatorPassMs : ownerPassMs
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** The value of a cookie; undefined without one, or with several: a neighbour may have planted one. */
function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const found = (request.headers.cookie ?? '')
    .split(';')
    .map(pair => pair.trim())
    .filter(pair => pair.startsWith(`${name}=`))
  return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined
}
