import { roundTrip } from '../../src/http/round-trip.ts'
import type { AppContext, Route } from '../../src/http/route.ts'
import { sessionCookie } from '../../src/http/session-cookie.ts'
import { definePlugin } from '../../src/kernel/runtime.ts'
import { createRateLimit } from '../../src/rate-limit.ts'
import '../volume/contract.ts'
import './contract.ts'
import { guessLimit } from '../../src/sign-in/guesses.ts'
import { createAccess } from './guard.ts'
import { methodRoutes } from './method-routes.tsx'
import { passwordGate } from './password.ts'
import { passwordLogin } from './password-login.ts'
import { authRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { sessionStore } from './session.ts'
import { authConfig, ssoSettings } from './settings.ts'
import { singleSignOn } from './sso.ts'

/** Authentication by password, single sign-on or token. */
export const auth = definePlugin({
  name: 'auth',
  needs: ['volume'],
  asks: { 'bearer-token': 'optional', 'signed-in': 'any' },
  config: authConfig,
  tables: { schema, migrations: 'runtime/auth/migrations' },
  setup: ({ config, db, clock, services: { volume }, hooks }) => {
    const { https, instanceId, place } = volume
    const sso = ssoSettings(config)
    const cookie = sessionCookie({ https })
    const sessions = sessionStore(db, clock)
    // Hashing continues while the other plugins are set up.
    const passwordReady = passwordGate(db, clock, config.LONGHOUSE_PASSWORD)
    passwordReady.catch(() => {})
    const login = passwordLogin(db, clock, { hasOther: sso !== null })
    const access = createAccess({
      sessions,
      cookie,
      tokenOf: (secret, address) => hooks.optional('bearer-token')?.(secret, address) ?? null,
      wrongTokens: createRateLimit({ failures: 10, withinMs: 10 * 60_000, clock }),
    })
    const signOn = singleSignOn({
      db,
      sso,
      instanceId,
      host: place.origin && new URL(place.origin).host,
      sessions,
      cookie,
      trip: roundTrip({ https, kind: 'sso', withinSeconds: 600, home: '/' }),
      passwordReady,
      clock,
      signedIn: (c: AppContext) => {
        for (const { answer } of hooks.all('signed-in')) answer(c)
      },
    })
    const routes: Route[] = [
      ...authRoutes({
        sessions,
        cookie,
        gate: async () => passwordReady,
        login,
        sso: sso !== null,
        guesses: guessLimit(clock),
        known: sessionCookie({ https, kind: 'browser' }),
        clock,
        place: place.name,
      }),
      ...signOn.routes,
      ...methodRoutes({ person: access.person, sso, login, sessions, cookie }),
    ]
    return {
      service: { ...access, firstPage: signOn.over(access.signedIn), passwordReady },
      routes: routes.map(route => ({ ...route, early: true })),
    }
  },
})
