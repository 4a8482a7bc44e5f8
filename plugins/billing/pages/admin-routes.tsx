import { z } from 'zod'
import { type Clock, timestamp } from '../../../src/clock.ts'
import { listWindow, searchField } from '../../../src/http/list-window.ts'
import { wantsFragment, wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { show } from '../../../src/http/show.ts'
import { BillingAdminPage } from '../../../views/operator/billing-page.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import type { AuthService } from '../../auth/contract.ts'
import type { ProvisionerService } from '../../provisioner/contract.ts'
import { accountList } from '../accounts/account-list.ts'
import type { Trials } from '../accounts/trial.ts'
import { type Attention, attentionKinds } from '../contract.ts'
import { billingOff } from '../problems.ts'
import type { EventQueue } from '../stripe/event-queue.ts'
import { eventRoutes } from './event-routes.tsx'
import { type ExemptionParts, exemptionRoutes } from './exemption-routes.tsx'

const listed = 50

const overviewSchema = z.object({
  on: z.boolean(),
  live: z.boolean().nullable().meta({ description: 'True for real money, false for Stripe’s test mode' }),
  trials: z.object({ going: z.int(), limit: z.int() }),
  troubled_events: z
    .int()
    .meta({ description: 'Events that failed, or have been queued for more than 15 minutes' }),
  attention: z
    .array(
      z.object({
        kind: z.enum(attentionKinds),
        account_id: z.string(),
        email: z.string().nullable(),
        what: z.string(),
        todo: z.string(),
        until: z.iso.datetime().nullable(),
        url: z.url(),
      }),
    )
    .meta({ description: 'Matters that only the operator can resolve, at Stripe; most urgent first' }),
  total: z.int().meta({ description: 'How many accounts match' }),
  accounts: z.array(
    z.object({
      account_id: z.string(),
      email: z.string().nullable(),
      subdomains: z.array(z.string()),
      state: z.string(),
      since: z.iso.datetime(),
      next: z.object({ at: z.iso.datetime(), what: z.string() }).nullable(),
      read_at: z.iso.datetime().nullable(),
      error: z.string().nullable(),
    }),
  ),
})

export interface BillingAdmin extends ExemptionParts {
  live: boolean
  queue: EventQueue
  trials: Trials
  trialLimit: number
  attention(): Attention[]
  /** Runs a task now: processes the events, or reads every customer from Stripe. */
  nudge(task: 'work-events' | 'reconcile'): void
}

/** Billing for the operator. `billing` is null where payments are not set up. */
export function billingAdminRoutes(
  billing: BillingAdmin | null,
  parts: { auth: AuthService; provisioner: ProvisionerService; clock: Clock },
): Route[] {
  const { auth, provisioner, clock } = parts
  const { admin, accounts } = auth
  const open = (): BillingAdmin => {
    if (!billing)
      throw billingOff(
        'Nothing was changed. Set STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and BILLING_PLANS, and restart the control plane.',
      )
    return billing
  }
  const find = billing
    ? accountList({ standings: billing.standings, accounts, provisioner })
    : () => ({ accounts: [], found: 0, total: 0 })

  return [
    route({
      method: 'get',
      path: '/admin/billing',
      summary: 'Billing state of all accounts, those that need attention first',
      guard: admin,
      role: 'read',
      query: listWindow(listed).pick({ offset: true }).extend({ search: searchField }),
      answers: { 200: { description: 'The accounts', schema: overviewSchema } },
      handle: (c, { query: { offset, search } }) => {
        const { accounts, found, total } = find({ search, limit: listed, offset })
        const overview = {
          on: billing !== null,
          live: billing?.live ?? null,
          trials: { going: billing?.trials.going() ?? 0, limit: billing?.trialLimit ?? 0 },
        }
        const attention = billing?.attention() ?? []
        const troubled = billing?.queue.troubled() ?? 0
        if (wantsPage(c) || wantsFragment(c)) {
          const list = { search, total: found, offset, limit: listed }
          const props = { ...overview, attention, accounts, list, total, troubled }
          const page = <BillingAdminPage now={clock.now()} {...props} />
          return show(c, page, operatorFrame('Billing', '/admin/billing'))
        }
        return c.json({
          ...overview,
          troubled_events: troubled,
          attention: attention.map(({ kind, accountId, email, what, todo, until, url }) => ({
            ...{ kind, account_id: accountId, email, what, todo, url },
            until: timestamp(until),
          })),
          total: found,
          accounts: accounts.map(({ accountId, email, subdomains, state, since, next, readAt, error }) => ({
            ...{ account_id: accountId, email, subdomains, state, since: timestamp(since) },
            next: next && { at: timestamp(next.at), what: next.what },
            read_at: timestamp(readAt),
            error,
          })),
        })
      },
    }),
    route({
      method: 'post',
      path: '/admin/billing/reconcile',
      summary: 'Read every customer from Stripe now',
      guard: admin,
      role: 'operate',
      body: z.object({}),
      answers: {
        204: { description: 'The customers will be read' },
        303: { description: 'For a browser: back to the page' },
      },
      handle: c => {
        open().nudge('reconcile')
        return wantsPage(c) ? c.redirect('/admin/billing', 303) : c.body(null, 204)
      },
    }),
    ...exemptionRoutes({ auth, provisioner, clock, open }),
    ...eventRoutes({ admin, clock, queue: billing?.queue ?? null, open }),
  ]
}
