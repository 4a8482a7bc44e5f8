import type { AppContext } from '../../src/http/route.ts'
import { owner } from '../auth/contract.ts'
import type { AuditLog } from './audit-log.ts'

/** Records a sign-in through a link, which no audited route handles. */
export function auditSignIn(c: AppContext, audit: AuditLog): void {
  try {
    audit.write({
      actorKind: owner.kind,
      actorName: owner.name,
      address: c.get('client'),
      action: 'GET /auth/sso',
      summary: 'Sign in through the control plane',
      target: '',
      fields: '',
      status: 303,
      requestId: c.get('requestId'),
    })
  } catch (error) {
    c.get('log').error({ err: error }, 'a sign-in is missing in the audit log')
  }
}
