import type { TestContext } from 'node:test'
import type { Environment } from '../../src/kernel/config.ts'
import { type ManualClock, setClock } from '../../src/testing/clock.ts'
import { browser, type Gate, openGate } from './auth.fixture.ts'
import { envOf, goThrough, startProvider, type TestProvider } from './openid.fixture.ts'

/** A visitor's browser: its cookies, and what it asks. */
export interface Visitor {
  cookies: Map<string, string>
  ask(path: string, init?: RequestInit): Promise<Response>
  /** Presses the button; returns the provider's address. */
  begin(next?: string): Promise<string>
  /** Comes back from the provider. */
  comeBack(callback: URL): Promise<Response>
  /** All of it, as one of the provider's people. */
  signIn(sub: string, next?: string): Promise<Response>
}

export interface Doorstep extends Gate {
  provider: TestProvider
  visitor(options?: { userAgent?: string }): Visitor
}

/** A control plane with a real provider to sign in with. The clock goes, for the provider's does. */
export async function openDoorstep(
  t: Pick<TestContext, 'after'>,
  options: {
    env?: Environment
    clock?: ManualClock
    provider?: TestProvider
    claimsInIdToken?: boolean
  } = {},
): Promise<Doorstep> {
  const provider = options.provider ?? (await startProvider(t, options))
  const env = { LONGHOUSE_PUBLIC_URL: 'http://control.localhost', ...envOf(provider), ...options.env }
  const gate = await openGate(t, { env, clock: options.clock ?? setClock() })
  return {
    ...gate,
    provider,
    visitor: at => visitorOf(gate, at?.userAgent ?? 'Mozilla/5.0 (X11; Linux) Firefox/140.0'),
  }
}

function visitorOf(gate: Gate, userAgent: string): Visitor {
  const cookies = new Map<string, string>()
  const ask: Visitor['ask'] = async (path, init = {}) => {
    const cookie = [...cookies].map(pair => pair.join('=')).join('; ')
    const headers = {
      ...browser,
      'User-Agent': userAgent,
      ...(cookie ? { Cookie: cookie } : {}),
      ...init.headers,
    }
    const response = await gate.ask(path, { ...init, headers })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]?.split(/=(.*)/s) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
  const begin: Visitor['begin'] = async next => {
    const body = new URLSearchParams(next === undefined ? {} : { next })
    const response = await ask('/auth/google', { method: 'POST', body })
    return response.headers.get('location') ?? `${response.status} ${await response.text()}`
  }
  const comeBack: Visitor['comeBack'] = ({ pathname, search }) => ask(pathname + search)
  return {
    cookies,
    ask,
    begin,
    comeBack,
    signIn: async (sub, next) => comeBack(await goThrough(await begin(next), sub)),
  }
}
