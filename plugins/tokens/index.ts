import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import { siteUrl } from '../site/contract.ts'
import { tokenRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { tokenStore } from './token.ts'

/** API tokens of the operators: named, with a role, if wanted for some instances or some time. */
export const tokens = definePlugin({
  name: 'tokens',
  needs: ['auth', 'provisioner', 'site'],
  tables: { schema, migrations: 'plugins/tokens/migrations' },
  setup: ({ db, clock, services: { auth, provisioner, site } }) => {
    const tokens = tokenStore(db, clock, auth.accessChanged)
    return {
      hooks: {
        'api-token': (secret, address) => {
          const token = tokens.use(secret, address)
          if (!token) return null
          const { id, name, role, instances } = token
          // By id: a subdomain may pass to another owner's instance.
          const names = instances && provisioner.subdomainsOf(instances.map(each => each.id))
          return { principal: { kind: 'token', id, name }, role, instances: names }
        },
      },
      routes: tokenRoutes({
        ...{ tokens, clock, admin: auth.admin },
        address: siteUrl(site, 'control'),
        instanceId: subdomain => provisioner.bySubdomain(subdomain)?.id ?? null,
      }),
    }
  },
})
