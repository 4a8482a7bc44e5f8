import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Secret, TOTP } from 'otpauth'
import type { Role } from '../../src/http/route.ts'
import type { Plugin } from '../../src/kernel/plugin.ts'
import { type ManualClock, manualClock } from '../../src/testing/clock.ts'
import { audit } from '../audit/index.ts'
import type { WireEntry } from '../audit/wire.ts'
import { mail } from '../mail/index.ts'
import { type OwnerBrowser, openTown, type Town } from '../owners/owners.fixture.ts'
import { tokens } from '../tokens/index.ts'
import { operators } from './index.ts'

export const password = 'several words that are easy'

/** An operator with a browser that is signed in. */
export interface Colleague {
  id: string
  email: string
  browser: OwnerBrowser
  /** The secret of their app, in base 32; '' without one. */
  secret: string
  recoveryCodes: string[]
}

export interface Office extends Town {
  clock: ManualClock
  /** Invites with the admin token; returns the operator's id, and the path of the invitation. */
  invite(name: string, role: Role): Promise<{ id: string; path: string; code: string }>
  /** Invites, and accepts with a password and, where it is demanded, an app. */
  join(name: string, role: Role): Promise<Colleague>
  /** The first step of a sign-in, in a browser; returns where it leads to. */
  signIn(
    browser: OwnerBrowser,
    email: string,
    password: string,
  ): Promise<{ status: number; location: string; text: string }>
  /** What the app shows now. */
  codeOf(secret: string): string
  entries(action?: string): Promise<WireEntry[]>
}

/** The whole control plane with operators, on a clock that the test moves. */
export async function openOffice(
  t: Pick<TestContext, 'after'>,
  options: { env?: Record<string, string>; plugins?: readonly Plugin[] } = {},
): Promise<Office> {
  const clock = manualClock(Date.now())
  const town = await openTown(t, {
    ...options,
    clock,
    plugins: [audit, mail, operators, tokens, ...(options.plugins ?? [])],
  })

  const codeOf = (secret: string) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.now() })
  const signIn: Office['signIn'] = async (browser, email, password) => {
    const reply = await browser.visit('/login/password', { email, password })
    return { status: reply.status, location: reply.headers.location ?? '', text: reply.text }
  }
  const invite: Office['invite'] = async (name, role) => {
    const { status, body } = await town.admin<{ id: string; invitation_url: string }>(
      'POST',
      '/admin/operators',
      {
        body: { name, role, email: `${name}@example.com` },
      },
    )
    assert.equal(status, 201, JSON.stringify(body))
    const { pathname, search, searchParams } = new URL(body.invitation_url)
    return { id: body.id, path: pathname + search, code: searchParams.get('code') ?? '' }
  }
  return {
    ...town,
    clock,
    codeOf,
    signIn,
    invite,
    join: async (name, role) => {
      const { id, code } = await invite(name, role)
      const browser = town.browser()
      const accepted = await browser.visit('/invitation', { code, password })
      assert.equal(accepted.status, 303, accepted.text)
      const made = { id, email: `${name}@example.com`, browser, secret: '', recoveryCodes: [] as string[] }
      if (accepted.headers.location !== '/login/set-up') return made
      const page = await browser.visit('/login/set-up')
      made.secret = secretIn(page.text)
      const confirmed = await browser.visit('/login/set-up', { code: codeOf(made.secret) })
      assert.equal(confirmed.status, 200, confirmed.text)
      made.recoveryCodes = [...confirmed.text.matchAll(/<li><code>([^<]+)/g)].map(([, code = '']) => code)
      // The next code is another one.
      clock.advance(30_000)
      return made
    },
    entries: async action => {
      const query = action === undefined ? '' : `?action=${action}`
      const { body } = await town.admin<{ entries: WireEntry[] }>('GET', `/admin/audit${query}`)
      return body.entries
    },
  }
}

/** The app's secret on a page. */
function secretIn(html: string): string {
  const typed = /<code class="secret">([A-Z2-7 ]+)<\/code>/.exec(html)?.[1]
  assert.ok(typed, html)
  return typed.replaceAll(' ', '')
}
