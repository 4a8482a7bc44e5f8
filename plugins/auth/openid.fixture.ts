import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/clock.ts'

/** A person who has an account with the provider. */
export interface Person {
  email?: string
  email_verified?: boolean | string
  name?: string
  /** Claims missing from the ID token: only the userinfo endpoint returns them. */
  onlyFetched?: readonly string[]
}

export interface TestProvider {
  issuer: string
  /** By what the provider calls them; a test changes them at will. */
  people: Map<string, Person>
  /** Answers every token request with this instead, while it is set. */
  breakWith: { path: string; status: number; body: string; type?: string } | null
  stop(): Promise<void>
}

const clientId = 'longhouse-test'
const clientSecret = 'a-secret-between-the-two-of-us'

/** The settings that make it the provider of a control plane. */
export const envOf = ({ issuer }: TestProvider) => ({
  GOOGLE_CLIENT_ID: clientId,
  GOOGLE_CLIENT_SECRET: clientSecret,
  OPENID_ISSUER: issuer,
  OPENID_NAME: 'Example',
})

/**
 * A real OpenID provider on a port of its own. Its sign-in page has one button for each person and one to cancel; there
 * is no password and no consent page. `redirectUri` may be added once the control plane's port is known.
 */
export async function startProvider(
  t: Pick<TestContext, 'after'>,
  options: {
    claimsInIdToken?: boolean
    /** That of who signs people in, where it is ahead of the machine's, which is the only one that the provider knows. */
    clock?: Clock
  } = {},
): Promise<TestProvider & { allow(redirectUri: string): void }> {
  // The fixture is imported by many that never start one, and this is 250 files.
  const { default: Provider } = await import('oidc-provider')
  const redirects: string[] = ['http://control.localhost/auth/google/callback']
  let self: TestProvider | null = null
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    if (self?.breakWith?.path === pathname) {
      response.writeHead(self.breakWith.status, { 'Content-Type': self.breakWith.type ?? 'application/json' })
      response.end(self.breakWith.body)
    } else if (pathname.startsWith('/interaction/')) void interaction(request, response)
    else void provider.callback()(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const aheadSeconds = () => Math.round(((options.clock?.now() ?? Date.now()) - Date.now()) / 1000)
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const people = new Map<string, Person>()

  const claimsOf = (sub: string, use: string) => {
    const { onlyFetched = [], ...person } = people.get(sub) ?? {}
    const told = Object.entries(person).filter(([name]) => use === 'userinfo' || !onlyFetched.includes(name))
    return { sub, ...Object.fromEntries(told) }
  }

  /** Anew with each redirect URI that is allowed: a provider reads its clients once. */
  const open = () =>
    new Provider(issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: redirects,
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      // Google tells the claims in the ID token itself; the standard asks for them to be fetched.
      conformIdTokenClaims: options.claimsInIdToken === false,
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      cookies: { keys: ['one key for a test'] },
      ttl: { IdToken: () => 3600 + aheadSeconds() },
      findAccount: (_, sub) => ({ accountId: sub, claims: async use => claimsOf(sub, use) }),
      loadExistingGrant: async context => {
        const { client, session } = context.oidc
        const grant = new context.oidc.provider.Grant({
          clientId: client?.clientId ?? '',
          accountId: session?.accountId ?? '',
        })
        grant.addOIDCScope('openid email profile')
        await grant.save()
        return grant
      },
    })
  let provider = open()

  const interaction = async (
    ...[request, response]: Parameters<Parameters<typeof createServer>[1] & object>
  ) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer)
    if (request.method === 'POST') {
      const who = searchParams.get('as')
      const result = who
        ? { login: { accountId: who, remember: false } }
        : { error: 'access_denied', error_description: 'they would rather not' }
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
      return
    }
    const buttons = [...people.keys()].map(
      sub => `<form method="post" action="${pathname}?as=${sub}"><button>Continue as ${sub}</button></form>`,
    )
    response.writeHead(200, { 'Content-Type': 'text/html' })
    response.end(
      `<h1>The provider</h1>${buttons.join('')}<form method="post" action="${pathname}"><button>Cancel</button></form>`,
    )
  }

  const stop = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  t.after(stop)
  const made: TestProvider = { issuer, people, breakWith: null, stop }
  self = made
  return Object.assign(made, {
    allow: (uri: string) => {
      redirects.push(uri)
      provider = open()
    },
  })
}

/**
 * Goes through the provider's pages as a browser would, from the address that the control plane sent it to, as `sub`, or
 * cancels. Returns where the provider sends it back to.
 */
export async function goThrough(page: string, sub: string | null): Promise<URL> {
  const jar = new Map<string, string>()
  const visit = async (url: URL, method = 'GET'): Promise<URL> => {
    const cookie = [...jar].map(pair => pair.join('=')).join('; ')
    const response = await fetch(url, { method, redirect: 'manual', headers: { Cookie: cookie } })
    await response.arrayBuffer()
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]?.split(/=(.*)/s) ?? []
      jar.set(name, value)
    }
    const location = response.headers.get('location')
    if (!location) throw new Error(`${method} ${url} led nowhere: ${response.status}`)
    return new URL(location, url)
  }
  const question = await visit(new URL(page))
  // An invalid request is refused before the sign-in.
  if (!question.pathname.startsWith('/interaction/')) return question
  const answer = await visit(new URL(sub === null ? question : `${question}?as=${sub}`), 'POST')
  return visit(answer)
}
