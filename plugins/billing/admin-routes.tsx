import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { BillingAdminPage } from '../../views/control/billing-page.tsx'
import { operatorFrame } from '../../views/control/operator-frame.ts'
import type { AuthService } from '../auth/contract.ts'
import type { Standings } from './accounts.ts'
import type { Customers } from './customers.ts'
import type { EventQueue } from './event-queue.ts'
import { billingOff, unknownEvent } from './problems.ts'
import { eventStatuses } from './schema.ts'
import type { Trials } from './trial.ts'

const pageLimit = 50
const time = z.iso.datetime().nullable()

const overviewSchema = z.object({
  on: z.boolean(),
  live: z.boolean().nullable().meta({ description: 'Real money, or Stripe’s test mode' }),
  trials: z.object({ going: z.int(), limit: z.int() }),
  accounts: z.array(
    z.object({
      account_id: z.string(),
      email: z.string().nullable(),
      state: z.string(),
      since: z.iso.datetime(),
      next: z.object({ at: z.iso.datetime(), what: z.string() }).nullable(),
      read_at: time,
      error: z.string().nullable(),
    }),
  ),
  total: z.int(),
  events: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      customer_id: z.string().nullable(),
      status: z.enum(eventStatuses),
      attempts: z.int(),
      created_at: z.iso.datetime(),
      received_at: z.iso.datetime(),
      finished_at: time,
      error: z.string().nullable(),
    }),
  ),
})

export interface BillingAdmin {
  live: boolean
  queue: EventQueue
  customers: Customers
  standings: Standings
  trials: Trials
  trialLimit: number
  /** Works the queue now, and reads every customer from Stripe now. */
  nudge(task: 'work-events' | 'reconcile'): void
}

/** Money as the operator sees it. `billing` is null where payments are not set up. */
export function billingAdminRoutes(
  billing: BillingAdmin | null,
  parts: { auth: AuthService; clock: Clock },
): Route[] {
  const { auth, clock } = parts
  const { admin } = auth
  const open = (): BillingAdmin => {
    if (!billing)
      throw billingOff('Set STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and BILLING_PLANS, and start again.')
    return billing
  }
  const back = (c: AppContext) => (wantsPage(c) ? c.redirect('/admin/billing', 303) : c.body(null, 204))
  const done = { 204: { description: 'It will be' }, 303: { description: 'For a browser: back to the page' } }

  const overview = (offset: number) => {
    if (!billing) return { accounts: [], going: 0, events: [], total: 0 }
    const { standings, customers, trials, queue } = billing
    const accounts = standings.accounts().map(accountId => {
      const { state, since, ladder } = standings.of(accountId)
      const customer = customers.of(accountId)
      return {
        accountId,
        email: auth.accounts.get(accountId)?.email || null,
        state,
        since,
        next: ladder[0] ?? null,
        readAt: customer?.readAt ?? null,
        error: customer?.error ?? null,
      }
    })
    return { accounts, going: trials.going(), ...queue.list({ limit: pageLimit, offset }) }
  }

  return [
    route({
      method: 'get',
      path: '/admin/billing',
      summary: 'How accounts stand, and what Stripe told, newest first',
      guard: admin,
      query: z.object({
        offset: z.coerce
          .number('must be a whole number')
          .int('must be a whole number')
          .min(0, 'must be 0 or more')
          .max(1e9, 'must be at most a billion')
          .default(0),
      }),
      answers: { 200: { description: 'Accounts and events', schema: overviewSchema } },
      handle: (c, { query: { offset } }) => {
        const { accounts, going, events, total } = overview(offset)
        const [on, live, limit] = [billing !== null, billing?.live ?? null, billing?.trialLimit ?? 0]
        if (wantsPage(c) || wantsFragment(c)) {
          const list = { events, total, offset, limit: pageLimit }
          const trials = { going, limit }
          const page = (
            <BillingAdminPage
              now={clock.now()}
              on={on}
              live={live}
              trials={trials}
              accounts={accounts}
              list={list}
            />
          )
          return wantsFragment(c) ? c.html(page) : c.render(page, operatorFrame('Billing', '/admin/billing'))
        }
        return c.json({
          on,
          live,
          trials: { going, limit },
          accounts: accounts.map(({ accountId, email, state, since, next, readAt, error }) => ({
            ...{ account_id: accountId, email, state, since: timestamp(since) },
            next: next && { at: timestamp(next.at), what: next.what },
            read_at: timestamp(readAt),
            error,
          })),
          total,
          events: events.map(event => ({
            id: event.id,
            type: event.type,
            customer_id: event.customerId,
            status: event.status,
            attempts: event.attempts,
            created_at: timestamp(event.createdAt),
            received_at: timestamp(event.receivedAt),
            finished_at: timestamp(event.finishedAt),
            error: event.error,
          })),
        })
      },
    }),
    route({
      method: 'post',
      path: '/admin/billing/events/{id}/retry',
      summary: 'Work an event once more now that waits for its next attempt or was given up',
      guard: admin,
      params: z.object({ id: z.string() }),
      body: z.object({}),
      answers: done,
      handle: (c, { params }) => {
        const { queue, nudge } = open()
        if (!queue.again(params.id))
          throw unknownEvent(`No event that waits or was given up has the id "${params.id}".`)
        nudge('work-events')
        return back(c)
      },
    }),
    route({
      method: 'post',
      path: '/admin/billing/reconcile',
      summary: 'Read every customer from Stripe now',
      guard: admin,
      body: z.object({}),
      answers: done,
      handle: c => {
        open().nudge('reconcile')
        return back(c)
      },
    }),
  ]
}
