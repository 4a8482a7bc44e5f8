import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../web/contract.ts'
import { openAuditLog } from './audit-log.ts'
import { auditSignIn } from './audit-sign-in.ts'
import { audited } from './audited.ts'
import { auditRoutes } from './routes.tsx'
import * as schema from './schema.ts'

/** Records who changed what. */
export const audit = definePlugin({
  name: 'audit',
  needs: ['auth'],
  tables: { schema, migrations: 'runtime/audit/migrations' },
  setup: ({ db, clock, services: { auth } }) => {
    const audit = openAuditLog(db, clock)
    return {
      hooks: {
        'around-route': route => audited(route, audit),
        'signed-in': c => auditSignIn(c, audit),
      },
      routes: auditRoutes({ audit, guard: auth.signedIn, clock }),
    }
  },
})
