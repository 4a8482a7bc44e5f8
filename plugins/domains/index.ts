import { definePlugin } from '../../src/kernel/control-plane.ts'
import { gauge } from '../../src/metrics/exposition.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import '../auth/contract.ts'
import '../mail/contract.ts'
import '../provisioner/contract.ts'
import '../router/contract.ts'
import { labelOf, siteUrl } from '../site/contract.ts'
import { domainStates } from './contract.ts'
import { Domains } from './domains.ts'
import { createNotices } from './notices.ts'
import { createProofLookUp } from './proof.ts'
import { createPublishing } from './publishing.ts'
import { domainRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { domainsConfig } from './settings.ts'
import { tlsAskRoute } from './tls-ask.ts'

/** How many domains an operator may give an instance, whatever its plan and `DOMAINS_LIMIT` say. */
const mostByOperators = 1000

/** Customers' own domains: claimed, proven by a DNS record, routed. */
export const domains = definePlugin({
  name: 'domains',
  needs: ['auth', 'mail', 'provisioner', 'router', 'site'],
  config: domainsConfig,
  tables: { schema, migrations: 'plugins/domains/migrations' },
  setup: ({ config: settings, db, clock, services, emit, nudge }) => {
    const { auth, mail, provisioner, router, site } = services
    const proof = createProofLookUp(settings.resolvers)
    const domains = new Domains({ db, clock, settings, proof, provisioner })
    const { publish, active } = createPublishing({
      ...{ domains, provisioner, router },
      changed: subdomain => emit('domains-changed', { subdomain }),
    })
    const notices = createNotices({
      ...{ domains, provisioner, mail, site },
      ...{ graceMs: settings.graceMs, accounts: auth.accounts },
    })
    const serves = (host: string): boolean => {
      const label = labelOf(site, host)
      if (label === '' || label === 'control') return true
      if (label === null) return router.subdomainOf(host) !== null
      const instance = provisioner.bySubdomain(label)
      return instance !== null && instance.desired !== 'deleted'
    }
    const parts = { domains, settings, site, clock, publish }
    return {
      service: { serves, active },
      routes: [
        ...domainRoutes(parts, {
          path: '/instances/{subdomain}',
          guard: auth.account,
          find: (c, subdomain) => {
            const { id, desired, url } = provisioner.owned(auth.accountOf(c)).find(subdomain)
            return { id, subdomain, url, removed: desired === 'deleted' }
          },
          most: c => provisioner.owned(auth.accountOf(c)).limit().domains ?? settings.most,
          vouches: false,
          frame: title => ownerFrame('/instances', title),
        }),
        ...domainRoutes(parts, {
          path: '/admin/instances/{subdomain}',
          guard: auth.admin,
          roles: { look: 'read', change: 'operate' },
          find: (_, subdomain) => {
            const { id, desired } = provisioner.instance(subdomain)
            return { id, subdomain, url: siteUrl(site, subdomain), removed: desired === 'deleted' }
          },
          most: () => mostByOperators,
          vouches: true,
          frame: title => operatorFrame(title, '/admin/instances'),
        }),
        tlsAskRoute({ site, clock, serves }),
      ],
      tasks: [
        {
          name: 'check',
          everyMs: 30_000,
          run: async signal => {
            await domains.round(signal)
            publish()
            notices.send()
          },
        },
        // A change of an instance begins a round, after its transaction; many changes at once share one.
        { name: 'publish', everyMs: 30_000, run: async () => publish() },
      ],
      hooks: {
        'instance-change': ({ instanceId, change, result }) => {
          if (change === 'transfer' || (change === 'purge' && result === 'done')) domains.forget(instanceId)
          nudge('publish')
        },
      },
      concernKinds: ['domain-losing'],
      concerns: notices.concerns,
      metrics: () => [
        gauge(
          'longhouse_domains',
          'Customers’ domains, by state.',
          domainStates.map(state => [{ state }, domains.in([state]).length]),
        ),
      ],
      start: publish,
      stop: () => {
        domains.stop()
        proof.stop()
      },
    }
  },
})
