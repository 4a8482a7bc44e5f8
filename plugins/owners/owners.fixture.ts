import type { TestContext } from 'node:test'
import { ask, type Reply } from '../../src/testing/ask.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { envOf, goThrough, startProvider, type TestProvider } from '../auth/openid.fixture.ts'
import { type TestFleet, testFleet } from '../provisioner/fleet.fixture.ts'
import { owners } from './index.ts'

/** An owner’s browser at the control plane. */
export interface OwnerBrowser {
  cookies: Map<string, string>
  /** Asks for a page. */
  visit(path: string, form?: Record<string, string>): Promise<Reply>
  /** Calls the API with the browser's cookies. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>
  signIn(sub: string): Promise<void>
}

export interface Town extends TestFleet {
  provider: TestProvider
  /** A browser without a session. */
  browser(): OwnerBrowser
  /** The browser of an owner who has just signed in. */
  owner(sub: string, email?: string): Promise<OwnerBrowser>
  /** Waits until an owner's instance is as said. */
  reaches(owner: OwnerBrowser, subdomain: string, status: string): Promise<void>
}

/** A control plane with a provider to sign in with, owners, and instances that are real processes of the stand-in. */
export async function openTown(
  t: Pick<TestContext, 'after'>,
  options: Parameters<typeof testFleet>[1] = {},
): Promise<Town> {
  const provider = await startProvider(t, options.clock ? { clock: options.clock } : {})
  const fleet = await testFleet(t, {
    ...options,
    env: { ...envOf(provider), ...options.env },
    plugins: [owners, ...(options.plugins ?? [])],
  })
  const origin = `http://control.localhost:${fleet.port}`
  provider.allow(`${origin}/auth/google/callback`)

  const browser = (): OwnerBrowser => {
    const cookies = new Map<string, string>()
    const send = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
      const cookie = [...cookies].map(pair => pair.join('=')).join('; ')
      const reply = await ask({
        port: fleet.port,
        host: `control.localhost:${fleet.port}`,
        method,
        path,
        headers: {
          ...(cookie ? { Cookie: cookie } : {}),
          // Node says it by itself for every method but this.
          ...(method === 'DELETE' && body ? { 'Content-Length': String(Buffer.byteLength(body)) } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      })
      for (const line of reply.headers['set-cookie'] ?? []) {
        const [name = '', value = ''] = line.split(';')[0]?.split(/=(.*)/s) ?? []
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
      return reply
    }
    const page = { Accept: 'text/html' }
    const self: OwnerBrowser = {
      cookies,
      visit: (path, form) =>
        form === undefined
          ? send('GET', path, page)
          : send(
              'POST',
              path,
              { ...page, Origin: origin, 'Content-Type': 'application/x-www-form-urlencoded' },
              new URLSearchParams(form).toString(),
            ),
      call: (method, path, body, headers = {}) =>
        send(method, path, headers, body === undefined ? undefined : JSON.stringify(body)),
      signIn: async sub => {
        const begun = await self.visit('/auth/google', {})
        const back = await goThrough(begun.headers.location ?? '', sub)
        const done = await self.visit(back.pathname + back.search)
        if (done.status !== 303) throw new Error(`no sign-in: ${done.status} ${done.text}`)
      },
    }
    return self
  }

  return {
    ...fleet,
    provider,
    browser,
    owner: async (sub, email = `${sub}@example.com`) => {
      provider.people.set(sub, { email, email_verified: true, name: sub })
      const made = browser()
      await made.signIn(sub)
      return made
    },
    reaches: (owner, subdomain, status) =>
      eventually(`${subdomain} is ${status}`, async () => {
        const reply = await owner.call('GET', `/instances/${subdomain}`)
        return reply.status === 200 && reply.json<{ status: string }>().status === status
      }).then(() => undefined),
  }
}
