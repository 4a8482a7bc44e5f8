import { join } from 'node:path'
import { z } from 'zod'
import { roundTrip } from '../../src/http/round-trip.ts'
import { sessionCookie } from '../../src/http/session-cookie.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { guessLimit } from '../../src/sign-in/guesses.ts'
import { openSeal } from '../../src/storage/seal.ts'
import { notAnOperatorHere } from '../auth/contract.ts'
import '../mail/contract.ts'
import { siteUrl } from '../site/contract.ts'
import { openOperators } from './book.ts'
import { createSignIn, signInSteps } from './entry.ts'
import { invitationRoutes } from './invitation-routes.tsx'
import { meRoutes } from './me/routes.ts'
import { operatorMetrics } from './metrics.ts'
import { operatorRoutes } from './operator-routes.tsx'
import { createPasskeys } from './passkey.ts'
import * as schema from './schema.ts'
import { createSecondFactor, factorRoles } from './second-factor.ts'
import { signInRoutes } from './sign-in-routes.tsx'

/** The people who operate this site: invited, each with a role, signed in with a second factor. */
export const operators = definePlugin({
  name: 'operators',
  needs: ['auth', 'mail', 'site'],
  config: z.object({
    /** From which role on a second factor beside the password is demanded. */
    OPERATORS_SECOND_FACTOR: z
      .enum(factorRoles, `must be one of ${factorRoles.join(', ')}`)
      .default('operate'),
  }),
  tables: { schema, migrations: 'plugins/operators/migrations' },
  setup: ({ config, db, clock, services: { auth: door, mail, site } }) => {
    const https = site.publicUrl?.protocol === 'https:'
    const seal = openSeal({ given: null, keyFile: join(site.dataRoot, '.control', 'operators-key') })
    const origin = () => siteUrl(site, 'control')
    const steps = signInSteps(clock)
    const { endAll } = door.operatorSessions
    const auth: typeof door = {
      ...door,
      operatorSessions: {
        ...door.operatorSessions,
        // What ends the sessions of an operator ends the sign-ins that have not become one yet.
        endAll: (operatorId, exceptId) => {
          steps.removeAll(operatorId)
          endAll(operatorId, exceptId)
        },
      },
    }
    // What apps and keys for sign-in list, beside those of other sites.
    const called = `${site.brand.name} ${site.domain}`
    const book = openOperators(db, clock, auth)
    const shared = { auth, book, clock }
    const factor = createSecondFactor({
      ...{ ...shared, db, seal, from: config.OPERATORS_SECOND_FACTOR, site: called },
    })
    const passkeys = createPasskeys({
      ...{ ...shared, db },
      trip: roundTrip({ https, kind: 'passkey', withinSeconds: 600, home: '/' }),
      site: { name: called, host: `control.${site.domain}`, origin },
    })
    const signIn = {
      ...{ auth, book, factor, passkeys, guesses: guessLimit(clock), answerGuesses: guessLimit(clock) },
      entry: createSignIn({
        ...{ auth, book, steps, seal },
        step: sessionCookie({ https, kind: 'step' }),
        known: sessionCookie({ https, kind: 'browser' }),
      }),
    }
    return {
      hooks: {
        operator: id => {
          const row = book.joined(id)
          const { name = '', role = 'read' } = row ?? {}
          return row && { principal: { kind: 'operator', id, name }, role, instances: null }
        },
        'operators-sign-in': book.any,
        'operator-link': (id, identity) => book.linkProvider(id, identity),
        'operator-of-identity': identity => {
          const row = book.byIdentity(identity)
          if (!row)
            throw notAnOperatorHere(
              `No operator of this site signs in as ${identity.email} here. If you have a password or a passkey, use it; otherwise ask for an invitation to this address. Nothing was changed.`,
            )
          book.signedIn(row.id)
          return row.id
        },
      },
      metrics: () => operatorMetrics(book.views()),
      routes: [
        ...operatorRoutes({
          ...{ admin: auth.admin, book, factor, clock },
          invitationUrl: secret => `${origin()}/invitation?code=${secret}`,
          ...{ mail, site: site.domain },
        }),
        ...signInRoutes(signIn),
        ...invitationRoutes({ ...signIn, provider: auth.operatorsProvider }),
        ...meRoutes({
          ...{ ...shared, factor, passkeys, mail, site: site.domain },
          proofUrl: secret => `${origin()}/admin/me/email?code=${secret}`,
        }),
      ],
    }
  },
})
