import type { TestContext } from 'node:test'
import { bootForTest } from '../../control-plane/boot.fixture.ts'
import type { Program } from '../../control-plane/boot.ts'
import type { AppEnv } from '../../src/http/route.ts'
import { open, route } from '../../src/http/route.ts'
import type { Environment } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { type ManualClock, manualClock } from '../../src/testing/clock.ts'
import './contract.ts'
import { auth } from './index.ts'

export const adminToken = 'correct-horse-battery-staple'
export const browser = { Accept: 'text/html,application/xhtml+xml' }

/** Something that only the operator may see or change, and something that anyone may. */
const vault = definePlugin({
  name: 'vault',
  needs: ['auth'],
  setup: ({ services }) => {
    const spec = { path: '/vault', summary: 'The vault', guard: services.auth.admin, answers: {} }
    return {
      routes: [
        route({ ...spec, method: 'get', handle: c => c.text('gold') }),
        route({ ...spec, method: 'post', handle: c => c.text('more gold') }),
        route({ ...spec, path: '/street', guard: open, method: 'get', handle: c => c.text('dust') }),
      ],
    }
  },
})

export interface Gate {
  program: Program
  clock: ManualClock
  /** Sends a request from an address; `peer` is the address that connects. */
  ask(path: string, init?: RequestInit & { peer?: string; url?: string }): Promise<Response>
  /** Signs in on the page; returns the answer and the cookie as a browser sends it back. */
  signIn(
    token?: string,
    init?: { peer?: string; next?: string },
  ): Promise<{ response: Response; cookie: string }>
}

/** A control plane that is sign-in and a vault. */
export async function openGate(
  t: Pick<TestContext, 'after'>,
  { env = {}, clock = manualClock() }: { env?: Environment; clock?: ManualClock } = {},
): Promise<Gate> {
  const program = await bootForTest(t, [auth, vault], {
    env: { ADMIN_TOKEN: adminToken, ...env },
    clock,
    web: {
      problemPage: (c, { title, detail, status }) =>
        c.html(`<h1>${title}</h1><p>${detail}</p>`, status as 400),
    },
  })
  const ask: Gate['ask'] = async (
    path,
    { peer = '192.0.2.7', url = 'http://control.localhost', ...init } = {},
  ) => {
    const bindings = { incoming: { socket: { remoteAddress: peer } } } as unknown as AppEnv['Bindings']
    return program.app.request(url + path, init, bindings)
  }
  return {
    program,
    clock,
    ask,
    signIn: async (token = adminToken, { next, ...init } = {}) => {
      const body = new URLSearchParams({ token, ...(next === undefined ? {} : { next }) })
      const response = await ask('/login', { ...init, method: 'POST', body, headers: browser })
      return { response, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' }
    },
  }
}
