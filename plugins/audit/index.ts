import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../auth/contract.ts'
import '../provisioner/contract.ts'
import '../site/contract.ts'
import { audited } from './audited.ts'
import type { Verification } from './chain.ts'
import { openAuditLog } from './log.ts'
import { auditRoutes } from './routes.tsx'
import * as schema from './schema.ts'

const day = 24 * 3_600_000

/** Records who did what, so that no one can change it unseen. */
export const audit = definePlugin({
  name: 'audit',
  needs: ['auth', 'provisioner', 'site'],
  tables: { schema, migrations: 'plugins/audit/migrations' },
  setup: ({ db, clock, log, services: { auth } }) => {
    const audit = openAuditLog(db, clock, log)
    let verification: (Verification & { at: number }) | null = null
    return {
      hooks: {
        'around-route': route => audited(route, audit),
        'access-change': ({ change, ...entry }) => audit.record({ action: change, result: 'done', ...entry }),
        'instance-change': ({ change, subdomain, ...entry }) =>
          audit.record({ action: change, target: subdomain, ...entry }),
      },
      routes: auditRoutes({
        ...{ audit, clock, admin: auth.admin },
        ownerName: id => auth.accounts.get(id)?.email || id,
        lastVerification: () => verification,
      }),
      tasks: [
        {
          name: 'verify',
          everyMs: day,
          run: async signal => {
            verification = { ...(await audit.verify(signal)), at: clock.now() }
          },
        },
      ],
      concernKinds: ['audit-broken'],
      concerns: () => {
        const broken = verification?.broken
        if (!broken) return []
        return [
          {
            kind: 'audit-broken',
            subject: 'audit',
            subdomain: null,
            summary: 'The audit log was changed by something other than Longhouse',
            detail: `${broken.reason}. Compare it with the log lines “audit” and with a backup.`,
            urgency: 'alert',
            path: '/admin/audit',
          },
        ]
      },
    }
  },
})
