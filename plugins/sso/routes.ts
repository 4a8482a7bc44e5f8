import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { open, type Route, route } from '../../src/http/route.ts'
import type { AuthService } from '../auth/contract.ts'
import type { ProvisionerService } from '../provisioner/contract.ts'
import type { RouterService } from '../router/contract.ts'
import { hostUrl, type Site, siteUrl } from '../site/contract.ts'
import type { KeyRing } from './key-ring.ts'
import { notYourInstance } from './problems.ts'
import { signToken } from './token.ts'

export interface SsoParts {
  auth: AuthService
  provisioner: ProvisionerService
  router: Pick<RouterService, 'subdomainOf'>
  site: Site
  clock: Clock
  ring: KeyRing
}

/** The routes that sign owners into their instances without a password. */
export function ssoRoutes({ auth, provisioner, router, site, clock, ring }: SsoParts): Route[] {
  return [
    route({
      method: 'get',
      path: '/.well-known/jwks.json',
      operation: 'getKeys',
      tag: 'keys',
      summary: 'The public keys that verify single sign-on tokens, as a JSON Web Key Set',
      guard: open,
      answers: {
        200: {
          description: 'The public keys',
          schema: z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) }),
        },
      },
      handle: c => {
        c.header('Cache-Control', 'public, max-age=300')
        return c.json(ring.published())
      },
    }),
    route({
      method: 'get',
      path: '/auth/bridge',
      summary:
        'Signs the owner into an instance: redirects back to the instance with a token, once the owner is signed in here',
      guard: auth.account,
      pageOnly: true,
      query: z.object({
        instance: z.string().regex(/^[\w-]{1,80}$/, 'must be the id of an instance'),
        nonce: z.string().regex(/^[\w-]{43}$/, 'must be what the instance made for this browser'),
        // The browser’s cookie belongs to the host where the sign-in began.
        host: z.string().max(300, 'must be the host of the instance').optional(),
      }),
      answers: { 303: { description: 'Back to the instance' } },
      handle: async (c, { query }) => {
        const account = auth.accountOf(c)
        const instance = provisioner
          .owned(account)
          .list()
          .find(each => each.id === query.instance)
        if (!instance || instance.desired === 'deleted') {
          throw notYourInstance(
            `${account.email} has no such instance. Sign out, and in with the account that it belongs to, or use its password.`,
          )
        }
        const issuer = siteUrl(site, 'control')
        const claims = { instanceId: instance.id, account, nonce: query.nonce }
        const token = await signToken({ ring, clock, issuer }, claims)
        const host = query.host?.toLowerCase().replace(/:\d*$/, '') ?? ''
        const isOwn = router.subdomainOf(host) === instance.subdomain
        return c.redirect(`${isOwn ? hostUrl(site, host) : instance.url}/?token=${token}`, 303)
      },
    }),
  ]
}
