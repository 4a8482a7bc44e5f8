import { z } from 'zod'
import type { Principal } from '../../src/acting.ts'
import { addressGroup } from '../../src/http/address.ts'
import { localPath } from '../../src/http/local-path.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { retryLater } from '../../src/http/problem.ts'
import type { Derive, RoundTrip } from '../../src/http/round-trip.ts'
import { type AppContext, type Guard, open, type Route, route } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import type { Events } from '../../src/kernel/control-plane.ts'
import type { RateLimit } from '../../src/rate-limit.ts'
import { OwnerSignInPage } from '../../views/auth/owner-sign-in-page.tsx'
import { type Site, siteUrl } from '../site/contract.ts'
import type { AccountBook } from './account.ts'
import type { AccountAccess } from './account-guard.ts'
import type { AccountSessions } from './account-session.ts'
import { type Access, type Identity, notAnOperatorHere, signInOver } from './contract.ts'
import type { OpenIdProvider, SignInProof } from './openid.ts'
import { signInOff } from './problems.ts'

const callbackPath = '/auth/google/callback'
const redirectUri = (site: Site) => siteUrl(site, 'control') + callbackPath
const off = () =>
  signInOff('The operator has not set up a sign-in provider (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET).')

const nextField = z.object({
  next: z.string('must be a path of this site').optional().meta({ description: 'The path to continue to' }),
})

export interface SignInParts {
  site: Site
  /** Null when none is set up. */
  provider: OpenIdProvider | null
  accounts: AccountBook
  sessions: AccountSessions
  access: AccountAccess
  cookie: SessionCookie
  /** One sign-in in progress in a browser. */
  signIn: RoundTrip
  /** Counts failed sign-ins per address. Each of them has called the provider. */
  failures: RateLimit
  /** Where owners continue after signing in. */
  home: string
  operators: {
    /** One sign-in of an operator in progress in a browser. */
    trip: RoundTrip
    /** Whether the provider's word on email addresses is enough for operators. */
    isOpen: boolean
    /** The operator whom the provider identified. Throws a Problem. */
    find(identity: Identity): Access | null
    begin(c: AppContext, operatorId: string): void
    admin: Guard
    /** One link of an operator to the provider in progress in a browser. */
    linkTrip: RoundTrip
    /** The operator of a browser's session; null for anyone else. */
    signedIn(c: AppContext): Principal | null
    /** Throws a Problem. */
    link(operatorId: string, identity: Identity): void
  }
  emit<E extends keyof Events>(event: E, payload: Events[E]): void
}

/** Signing up, in and out as an owner, with a sign-in provider. */
export function signInRoutes(parts: SignInParts): Route[] {
  const { site, provider, sessions, access, cookie, signIn, home, operators } = parts
  const beginAt = async (
    provider: OpenIdProvider,
    c: AppContext,
    trip: RoundTrip,
    next: string | undefined,
    bind: (derive: Derive) => Derive = derive => derive,
  ) => {
    // The provider sends both kinds of sign-in back to one address, so a browser is in one of them at a time.
    for (const each of [signIn, operators.trip, operators.linkTrip]) if (each !== trip) each.end(c)
    const page = await provider.signInPage(proofOf(bind(trip.begin(c, next))), redirectUri(site))
    return c.redirect(page.href, 303)
  }

  return [
    route({
      method: 'get',
      path: '/sign-in',
      summary: 'The sign-in page for owners',
      guard: open,
      pageOnly: true,
      query: z.object({ next: z.string().optional() }),
      answers: { 200: { description: 'The page' } },
      handle: (c, { query }) => {
        const next = localPath(query.next, home)
        if (access.visitor(c)) return c.redirect(next, 303)
        const page = <OwnerSignInPage provider={provider?.name ?? null} next={next} />
        return c.render(page, { title: 'Sign in', narrow: true })
      },
    }),
    route({
      method: 'post',
      path: '/auth/google',
      summary: 'Sign up or in; redirects to the provider',
      audit: { none: 'it changes nothing until the provider has answered' },
      guard: open,
      body: nextField,
      answers: {
        303: { description: 'Redirects to the provider' },
        503: { description: 'No provider is set up' },
      },
      handle: async (c, { body }) => {
        if (!provider) throw off()
        return beginAt(provider, c, signIn, body.next)
      },
    }),
    route({
      method: 'post',
      path: '/login/provider',
      summary: 'Sign in as an operator with the provider; redirects to it',
      audit: { none: 'it changes nothing until the provider has answered' },
      guard: open,
      body: nextField,
      answers: {
        303: { description: 'Redirects to the provider' },
        503: { description: 'No provider is set up that operators can sign in with' },
      },
      handle: async (c, { body }) => {
        if (!provider || !operators.isOpen)
          throw signInOff('Operators cannot sign in with a provider here. Sign in in another way.')
        return beginAt(provider, c, operators.trip, body.next)
      },
    }),
    route({
      method: 'post',
      path: '/admin/me/provider',
      summary: 'Link an account at the provider, which then signs you in; redirects to the provider',
      audit: { none: 'it changes nothing until the provider has answered' },
      guard: operators.admin,
      role: 'read',
      fresh: true,
      body: z.object({}),
      answers: {
        303: { description: 'Redirects to the provider' },
        503: { description: 'No provider is set up that operators can sign in with' },
      },
      handle: async c => {
        if (!provider || !operators.isOpen)
          throw signInOff('Operators cannot sign in with a provider here. Nothing was changed.')
        const principal = operators.signedIn(c)
        if (!principal)
          throw notAnOperatorHere(
            'The admin token and API tokens have no sign-in of their own. Invite yourself as an operator, then sign in with your email address.',
          )
        return beginAt(provider, c, operators.linkTrip, undefined, derive => boundTo(principal, derive))
      },
    }),
    callbackRoute(parts),
    route({
      method: 'post',
      path: '/auth/sign-out',
      summary: 'Sign out as an owner',
      guard: open,
      body: z.object({}),
      answers: { 204: { description: 'Signed out' }, 303: { description: 'Signed out, for a browser' } },
      handle: c => {
        const visitor = access.visitor(c)
        if (visitor) c.set('principal', { kind: 'owner', id: visitor.id, name: '' })
        else c.set('about', null)
        const secret = cookie.read(c)
        if (secret) sessions.end(secret)
        cookie.clear(c)
        return wantsPage(c) ? c.redirect('/sign-in', 303) : c.body(null, 204)
      },
    }),
  ]
}

/** All that begins at the provider ends here: an owner's sign-in, an operator's, and an operator's link. */
function callbackRoute(parts: SignInParts): Route {
  const { site, provider, accounts, sessions, cookie, signIn, failures, operators, emit } = parts
  return route({
    method: 'get',
    path: callbackPath,
    summary: 'Complete a sign-in; the provider redirects here',
    audit: 'changes',
    guard: open,
    pageOnly: true,
    answers: { 303: { description: 'Signed in: the cookie is set' } },
    handle: async c => {
      if (!provider) throw off()
      const link = operators.linkTrip.end(c)
      const linking = link && operators.signedIn(c)
      if (link && !linking)
        throw signInOver(
          'You are no longer signed in. Nothing was changed. Sign in, then link the account again.',
        )
      const operator = operators.trip.end(c)
      const begun = link ?? operator ?? signIn.end(c)
      if (!begun) {
        throw signInOver(
          'The sign-in was not started in this browser, was already finished, or took more than ten minutes. Nothing was changed. Start again from the sign-in page.',
        )
      }
      const group = addressGroup(c.get('client'))
      const wait = failures.retryAfter(group)
      if (wait > 0) throw retryLater(wait)
      // Counted before the provider is asked: a burst must not slip through.
      failures.fail(group)
      const callback = new URL(redirectUri(site))
      callback.search = new URL(c.req.url).search
      const derive = linking ? boundTo(linking, begun.derive) : begun.derive
      const identity = await provider.redeem(callback, proofOf(derive))
      failures.clear(group)
      if (linking) {
        c.set('principal', linking)
        operators.link(linking.id, identity)
        return c.redirect(begun.next, 303)
      }
      if (operator) {
        const found = operators.find(identity)
        if (!found)
          throw notAnOperatorHere(
            `No operator of this site signs in as ${identity.email}. Ask for an invitation.`,
          )
        c.set('principal', found.principal)
        operators.begin(c, found.principal.id)
        return c.redirect(begun.next, 303)
      }

      const { account, how, emailChanged } = accounts.admit(identity)
      c.set('principal', { kind: 'owner', id: account.id, name: '' })
      // The browser's previous session ends.
      const before = cookie.read(c)
      if (before) sessions.end(before)
      const { secret, keepMs } = sessions.begin(account.id, c.req.header('user-agent') ?? '')
      cookie.write(c, secret, keepMs / 1000)
      c.header('Cache-Control', 'no-store')
      if (how === 'created') emit('account-created', { accountId: account.id })
      if (how === 'reopened') emit('account-reopened', { accountId: account.id })
      if (emailChanged) emit('account-email-changed', { accountId: account.id, email: account.email })
      return c.redirect(begun.next, 303)
    },
  })
}

/** Another operator who signs in at this browser meanwhile does not complete it. */
const boundTo =
  ({ id }: Principal, derive: Derive): Derive =>
  use =>
    derive(`${use} of ${id}`)

function proofOf(derive: Derive): SignInProof {
  return { state: derive('state'), nonce: derive('nonce'), verifier: derive('verifier') }
}
