import { z } from 'zod'
import { preferredWait, wantsPage } from '../../../src/http/negotiate.ts'
import type { AppContext, Guard } from '../../../src/http/route.ts'
import type { AuthService } from '../../auth/contract.ts'
import { type RequestedKind, request } from '../commands/commands.ts'
import type { Ownership } from '../commands/ownership.ts'
import type { InstanceUsage, TrafficPage, UsagePeriod } from '../contract.ts'
import type { Orphans } from '../orphans/orphans.ts'
import type { Execution } from '../reconciler/execution.ts'
import type { Reconciler } from '../reconciler/reconciler.ts'
import type { RetentionSettings } from '../reconciler/retention.ts'
import { getInstance } from '../records/instance.ts'
import { type Accepted, findOperation } from '../records/operation.ts'
import type { Variables } from '../variables/variables.ts'
import { instanceSchema, wireInstance } from './wire.ts'

export interface ProvisionerRoutes extends Omit<Execution, 'runs'> {
  admin: Guard
  requireRole: AuthService['requireRole']
  requireFresh: AuthService['requireFresh']
  reconciler: Reconciler
  orphans: Orphans
  taskFaults(): readonly { task: string; reason: string }[]
  ownership: Ownership
  retention: RetentionSettings
  defaultImage: string
  variables: Variables
  /** Aborts when the program stops: answers that would go on end. */
  closing: AbortSignal
  /** What measures instances; null where none are measured. */
  usage(): ((instanceId: string, period: UsagePeriod) => InstanceUsage) | null
  /** What has a page about an instance's traffic; null where that is not counted. */
  trafficPage(): TrafficPage | null
  /** Makes the reconciler act now. */
  nudge(): void
}

export const named = z.object({ subdomain: z.string() })

/** A yes or no, as JSON and as a form's checkbox say it. */
export const truth = z
  .union([z.boolean(), z.enum(['true', 'false', 'on', '1', '0', ''])], 'must be true or false')
  .transform(value => value === true || value === 'true' || value === 'on' || value === '1')

export const ownerEmail = z
  .string('must be an email address such as ada@example.com')
  .trim()
  .max(254, 'may have at most 254 characters')
  .pipe(z.email('must be an email address such as ada@example.com'))

/** An image reference; an empty field of a form counts as left out. */
export const optionalImage = z
  .preprocess(
    value => (value === '' ? undefined : value),
    z
      .string()
      .trim()
      .max(255)
      .regex(
        /^[a-z0-9]+([._/:@-]+[A-Za-z0-9_]+)*$/,
        'must be an image reference such as longhouse-runtime:1.2.0',
      )
      .optional(),
  )
  .optional()

export const answers = {
  200: { description: 'Done, or there was nothing to do', schema: instanceSchema },
  202: { description: 'The work has started; `Location` leads to the operation', schema: instanceSchema },
  303: { description: 'For a browser: back to the page' },
}

/** The same for answers with a new password. */
export const passwordAnswers = {
  200: {
    description: 'Done, or effective from its next start. The password is shown only in this answer',
    schema: instanceSchema.extend({ password: z.string() }),
  },
  202: {
    description: 'The work has started. The password is shown only in this answer',
    schema: instanceSchema.extend({ password: z.string() }),
  },
}

/** Answers for work that has begun: 202 at once, or when the preference to wait is over the state of then. */
export const answerWith =
  (parts: ProvisionerRoutes) =>
  async (c: AppContext, accepted: Accepted, done: 200 | 201, extra: { password?: string } = {}) => {
    const { fleet, reconciler } = parts
    const { operationId, instanceId } = accepted
    parts.nudge()
    const waitMs = preferredWait(c) * 1000
    if (operationId && waitMs > 0) await reconciler.waitFor(operationId, waitMs)
    const instance = getInstance(fleet.db, instanceId)
    const operation = operationId ? findOperation(fleet.db, operationId) : null
    const open = operation?.status === 'pending' || operation?.status === 'running'
    if (operationId) c.header('Location', `/admin/operations/${operationId}`)
    if (waitMs > 0) c.header('Preference-Applied', `wait=${waitMs / 1000}`)
    c.header('Cache-Control', 'no-store')
    return c.json({ ...wireInstance(parts, instance), ...extra }, open ? 202 : done)
  }

/** Carries out one operation and answers for it, with JSON or by the way back to the page. */
export const operateWith =
  (parts: ProvisionerRoutes) =>
  (kind: RequestedKind) =>
  async (c: AppContext, subdomain: string, image?: string) => {
    const accepted = request(parts.fleet, subdomain, kind, { image, withoutCopy: kind === 'start' })
    return await answerOrReturn(parts, c, accepted, `/admin/instances/${subdomain}`)
  }

/** Answers for work that has begun: a browser goes on to a page. */
export async function answerOrReturn(
  parts: ProvisionerRoutes,
  c: AppContext,
  accepted: Accepted,
  page: string,
) {
  if (!wantsPage(c)) return await answerWith(parts)(c, accepted, 200)
  parts.nudge()
  return c.redirect(page, 303)
}
