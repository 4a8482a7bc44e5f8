import { join } from 'node:path'
import { z } from 'zod'
import { roundTrip } from '../../src/http/round-trip.ts'
import { sessionCookie } from '../../src/http/session-cookie.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import { createRateLimit } from '../../src/rate-limit.ts'
import { accountBook } from './account.ts'
import { accountAccess } from './account-guard.ts'
import { accountRoutes } from './account-routes.tsx'
import { accountSessionStore } from './account-session.ts'
import { adminTokenSetting, loadAdminToken } from './admin-token.ts'
import './contract.ts'
import { createOperatorAccess } from './door.ts'
import { openIdProvider } from './openid.ts'
import { openIdConfig } from './openid-config.ts'
import { authRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { signInRoutes } from './sign-in-routes.tsx'

/** Where an owner is at home. */
const home = '/instances'

export const auth = definePlugin({
  name: 'auth',
  config: z
    .object({
      ADMIN_TOKEN: adminTokenSetting.optional(),
    })
    .and(openIdConfig),
  needs: ['site'],
  tables: { schema, migrations: 'plugins/auth/migrations' },
  asks: {
    'access-change': 'any',
    'account-export': 'any',
    'account-kept': 'any',
    'api-token': 'optional',
    operator: 'optional',
    'operator-link': 'optional',
    'operator-of-identity': 'optional',
    'operators-sign-in': 'optional',
  },
  setup: ({ config, services: { site }, db, clock, log, emit, hooks }) => {
    const https = site.publicUrl?.protocol === 'https:'
    const tenMinutes = 10 * 60_000

    const token = loadAdminToken(config.ADMIN_TOKEN, join(site.dataRoot, '.control', 'admin-token'))
    if (token.file) log.info({ file: token.file }, 'the admin token is in this file')

    const provider = config.openId && openIdProvider(config.openId, clock)
    const cookie = sessionCookie({ https, kind: 'account' })
    const accounts = accountBook(db, clock)
    const sessions = accountSessionStore(db, clock)
    const access = accountAccess({ sessions, accounts, cookie })
    const failures = createRateLimit({ failures: 20, withinMs: tenMinutes, clock })
    const signIn = roundTrip({ https, kind: 'sign_in', withinSeconds: 600, home })
    const operatorTrip = roundTrip({
      ...{ https, kind: 'operator_sign_in', withinSeconds: 600, home: '/admin/overview' },
    })
    const linkTrip = roundTrip({ https, kind: 'operator_link', withinSeconds: 600, home: '/admin/me' })
    const operatorOf = (id: string) => hooks.optional('operator')?.(id) ?? null
    const door = createOperatorAccess({
      ...{ db, clock, token },
      cookie: sessionCookie({ https }),
      ownersSignIn: provider !== null,
      // What an operator may do is too much for an address that the provider calls unverified.
      provider: provider && config.openId?.emailTrust !== 'any' ? provider.name : null,
      changed: change => {
        for (const { answer: record } of hooks.all('access-change')) record(change)
      },
      hasOperators: () => hooks.optional('operators-sign-in')?.() ?? false,
      apiToken: (secret, address) => hooks.optional('api-token')?.(secret, address) ?? null,
      operator: operatorOf,
    })
    if (!provider)
      log.info('owners cannot sign up or in: GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET are not set')

    return {
      service: {
        ...door.service,
        tokenFile: token.file,
        account: access.guard,
        accountOf: access.accountOf,
        visitor: access.visitor,
        visit: access.visit,
        accounts: {
          ...accounts,
          close: id => {
            const closed = accounts.close(id)
            if (closed) emit('account-closed', { accountId: id })
            return closed
          },
        },
        sessionsOf: sessions.of,
        provider: provider?.name ?? null,
        exportOf: account =>
          Object.fromEntries(
            hooks.all('account-export').map(({ plugin, answer }) => [plugin, answer(account)]),
          ),
      },
      routes: [
        ...authRoutes({
          ...door.routeParts,
          ownersSignIn: provider !== null,
          ownersHome: c => (access.visitor(c) ? home : null),
        }),
        ...signInRoutes({
          ...{ site, provider, accounts, sessions, access, cookie, signIn, failures, home, emit },
          operators: {
            trip: operatorTrip,
            isOpen: door.service.operatorsProvider !== null,
            find: identity => operatorOf(hooks.optional('operator-of-identity')?.(identity) ?? ''),
            begin: door.begin,
            admin: door.service.admin,
            linkTrip,
            signedIn: c => {
              const principal = door.routeParts.visitor(c)?.principal
              return principal?.kind === 'operator' && operatorOf(principal.id) ? principal : null
            },
            link: (id, identity) => hooks.optional('operator-link')?.(id, identity),
          },
        }),
        ...accountRoutes({ access, sessions, clock, provider: provider?.name ?? null }),
      ],
      hooks: { 'form-targets': () => provider?.origins() ?? [] },
      tasks: [
        {
          name: 'prune-sessions',
          everyMs: 3_600_000,
          run: async () => {
            door.sessions.prune()
            sessions.prune()
            accounts.erase(id => hooks.all('account-kept').some(({ answer: isKept }) => isKept(id)))
          },
        },
        // So that the first owner of the hour does not wait for it, and forms may lead there.
        ...(provider ? [{ name: 'discover-provider', everyMs: 60_000, run: () => provider.discover() }] : []),
      ],
    }
  },
})
