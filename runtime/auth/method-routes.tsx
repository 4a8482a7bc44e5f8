import { z } from 'zod'
import { wantsPage } from '../../src/http/negotiate.ts'
import { defineProblem } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import type { SessionCookie } from '../../src/http/session-cookie.ts'
import { SignInSettingsPage } from '../../views/instance/settings/sign-in-settings-page.tsx'
import { show } from '../web/show.ts'
import type { PasswordLogin } from './password-login.ts'
import type { SessionStore } from './session.ts'
import type { SsoSettings } from './settings.ts'

const onlyWayIn = defineProblem('only-way-in', 409, 'The password is the only way in')

const truth = z
  .union([z.boolean(), z.enum(['true', 'false'])], 'must be true or false')
  .transform(value => value === true || value === 'true')

/** Routes for the ways to sign in, and for turning the password off. */
export function methodRoutes(parts: {
  person: Guard
  sso: SsoSettings | null
  login: PasswordLogin
  sessions: SessionStore
  cookie: SessionCookie
}): Route[] {
  const { person, sso, login, sessions, cookie } = parts
  const methodShape = z.object({
    password: z.boolean().meta({ description: 'Whether signing in with the password is allowed' }),
    control_plane: z
      .string()
      .nullable()
      .meta({ description: 'The control plane that can be signed in through, if any' }),
  })
  const state = () => ({ password: !login.isOff(), control_plane: sso?.issuer ?? null })

  const setPasswordSignIn = (c: AppContext, password: boolean) => {
    if (!password) {
      if (!sso)
        throw onlyWayIn(
          'Single sign-on is not set up, so the password is the only way to sign in. Nothing was changed.',
        )
      const secret = cookie.read(c)
      // A session from single sign-on proves that it works.
      if ((secret ? sessions.find(secret)?.via : null) !== 'sso') {
        throw onlyWayIn(
          `Sign in through ${new URL(sso.issuer).host} first, to be sure that it works. Nothing was changed.`,
        )
      }
    }
    login.setEnabled(password)
    return wantsPage(c) ? c.redirect('/settings/sign-in', 303) : c.json(state())
  }
  const change = (method: 'put' | 'post') =>
    route({
      method,
      path: '/api/auth/methods',
      summary: 'Turn password sign-in on or off',
      guard: person,
      body: z.object({ password: truth }),
      answers: {
        200: { description: 'The ways to sign in', schema: methodShape },
        303: { description: 'For a browser: back to the page' },
      },
      handle: (c, { body }) => setPasswordSignIn(c, body.password),
    })

  return [
    route({
      method: 'get',
      path: '/settings/sign-in',
      summary: 'Settings of the sign-in',
      guard: person,
      pageOnly: true,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: c => {
        const secret = cookie.read(c)
        const page = (
          <SignInSettingsPage
            password={!login.isOff()}
            controlPlane={sso?.issuer ?? null}
            via={(secret ? sessions.find(secret)?.via : undefined) ?? 'password'}
          />
        )
        return show(c, page, { title: 'Sign-in', current: '/settings' })
      },
    }),
    route({
      method: 'get',
      path: '/api/auth/methods',
      summary: 'The ways to sign in',
      guard: person,
      answers: { 200: { description: 'The ways to sign in', schema: methodShape } },
      handle: c => c.json(state()),
    }),
    change('put'),
    change('post'),
  ]
}
