import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { BillingPage } from '../../views/billing/billing-page.tsx'
import type { AuthService } from '../auth/contract.ts'
import type { ProvisionerService } from '../provisioner/contract.ts'
import { requestUse, requestUseSchema, wireRequestUse } from './accounts/request-use.ts'
import type { Bill } from './checkout/bill.ts'
import type { Payments } from './checkout/payments.ts'
import { overReasons, type RequestUse, rungKinds, states, subscriptionStatuses } from './contract.ts'
import { billingOff } from './problems.ts'

const time = z.iso.datetime().nullable()

const billSchema = z.object({
  on: z.boolean(),
  state: z.enum(states),
  reason: z.enum(overReasons).nullable(),
  trial_ends_at: time,
  exemption: z
    .object({ since: z.iso.datetime(), why: z.string(), plan: z.string().nullable() })
    .nullable()
    .meta({ description: 'The operator has exempted the account from payment' }),
  subscription: z
    .object({
      status: z.enum(subscriptionStatuses),
      plan: z.string().nullable(),
      quantity: z
        .int()
        .meta({ description: 'How many times the plan is paid for; multiplies its number of instances' }),
      period_ends_at: time,
      cancel_at: time,
      collection_paused: z
        .object({ until: time })
        .nullable()
        .meta({ description: 'The operator has paused collection; `until` is null when no end is set' }),
    })
    .nullable(),
  ladder: z
    .array(z.object({ at: z.iso.datetime(), what: z.enum(rungKinds) }))
    .meta({ description: 'What happens if the owner does nothing, in order' }),
  trial: z
    .object({
      days: z.number(),
      available: z.boolean().meta({ description: 'False while the limit of trials in progress is reached' }),
    })
    .nullable()
    .meta({ description: 'The trial that a first instance starts; null when it starts none' }),
  plans: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      cost: z.string(),
      instances: z.int(),
      memory_bytes: z
        .int()
        .nullable()
        .meta({ description: 'Memory limit of each instance; null for the default' }),
      cpus: z.number().nullable(),
      processes: z.int().nullable(),
      disk_bytes: z.int().nullable(),
      runs_at_once: z.int().nullable(),
      domains: z
        .int()
        .nullable()
        .meta({ description: 'Domains of their own that each instance may have; null for the default' }),
      requests_at_once: z
        .int()
        .nullable()
        .meta({ description: 'Requests in progress to each instance; null for the default' }),
      requests_per_second: z.int().nullable(),
      body_bytes: z.int().nullable().meta({ description: 'The longest body of a request' }),
    }),
  ),
  use: requestUseSchema,
})

const goneOn = {
  200: { description: 'The URL to open in a browser', schema: z.object({ url: z.url() }) },
  303: { description: 'For a browser: redirects there' },
}

/** The owner's plan page, checkout and portal. `payments` is null where payments are not set up. */
export function billingRoutes(parts: {
  auth: AuthService
  clock: Clock
  payments: Payments | null
  provisioner: Pick<ProvisionerService, 'instances' | 'busiestMinute'>
  /** Brings the account's instances in line with its plan, which may have changed. */
  enforce(accountId: string): void
}): Route[] {
  const { auth, clock, payments, provisioner, enforce } = parts
  const open = (): Payments => {
    if (!payments) throw billingOff('This site takes no payments. Everything here is free.')
    return payments
  }
  /** Where payments are not set up, says so before asking anyone to sign in. */
  const payer: Guard = {
    ...auth.account,
    check: (c, next) => {
      open()
      return auth.account.check(c, next)
    },
  }
  const goOn = (c: AppContext, url: string) => (wantsPage(c) ? c.redirect(url, 303) : c.json({ url }))

  return [
    route({
      method: 'get',
      path: '/billing',
      summary: 'Your plan, and what happens next',
      guard: auth.account,
      query: z.object({ paid: z.string().max(10).optional(), changed: z.string().max(10).optional() }),
      answers: { 200: { description: 'The plan', schema: billSchema } },
      handle: async (c, { query }) => {
        const { id } = auth.accountOf(c)
        // An owner who returns from paying or from the portal sees the result, even if the webhook was lost.
        let confirmed = true
        if ((query.paid ?? query.changed) !== undefined && payments) {
          confirmed = await payments.refresh(id)
          enforce(id)
        }
        const bill = payments?.bill(id) ?? null
        const use = requestUse(provisioner, id)
        if (!wantsPage(c)) return c.json(wireBill(bill, payments, use))
        const rate = payments?.planOf(id)?.traffic?.requestsPerSecond ?? null
        const page = (
          <BillingPage
            {...{ now: clock.now(), bill, confirmed, plans: payments?.plans ?? [] }}
            {...{ use, rate }}
          />
        )
        return c.render(page, ownerFrame('/billing', 'Plan'))
      },
    }),
    route({
      method: 'post',
      path: '/checkout',
      summary: 'Choose a plan; redirects to the checkout page',
      guard: payer,
      body: z.object({
        plan: z.string('must be the id of a plan').max(60, 'must be the id of a plan'),
        subdomain: z
          .string()
          .max(63)
          .optional()
          .meta({ description: 'The instance that the plan is for; stored as a note' }),
      }),
      answers: goneOn,
      handle: async (c, { body }) =>
        goOn(c, await open().checkout(auth.accountOf(c), body.plan, body.subdomain ?? null)),
    }),
    route({
      method: 'post',
      path: '/portal',
      summary: 'Change cards, see invoices or cancel; redirects to the billing portal',
      guard: payer,
      body: z.object({}),
      answers: goneOn,
      handle: async c => goOn(c, await open().portal(auth.accountOf(c))),
    }),
  ]
}

function wireBill(
  bill: Bill | null,
  payments: Payments | null,
  use: readonly RequestUse[],
): z.infer<typeof billSchema> {
  const subscription = bill?.subscription
  return {
    on: payments !== null,
    state: bill?.standing.state ?? 'free',
    reason: bill?.standing.reason ?? null,
    trial_ends_at: timestamp(bill?.trialEndsAt),
    exemption: bill?.exemption
      ? {
          since: timestamp(bill.exemption.since),
          why: bill.exemption.why,
          plan: bill.exemption.plan?.id ?? null,
        }
      : null,
    subscription: subscription
      ? {
          status: subscription.status,
          plan: subscription.plan?.id ?? null,
          quantity: subscription.quantity,
          period_ends_at: timestamp(subscription.periodEndsAt),
          collection_paused:
            subscription.pauseBehavior === null ? null : { until: timestamp(subscription.pauseEndsAt) },
          cancel_at: timestamp(subscription.cancelAt),
        }
      : null,
    ladder: (bill?.standing.ladder ?? []).map(({ at, what }) => ({ at: timestamp(at), what })),
    trial: bill?.trial ? { days: bill.trial.forMs / 86_400_000, available: bill.trial.free } : null,
    plans: (payments?.plans ?? []).map(({ id, name, cost, instances, limits, domains, traffic }) => ({
      ...{ id, name, cost, instances },
      memory_bytes: limits?.memoryBytes ?? null,
      cpus: limits?.cpus ?? null,
      processes: limits?.pids ?? null,
      disk_bytes: limits?.diskBytes ?? null,
      runs_at_once: limits?.runsAtOnce ?? null,
      domains,
      requests_at_once: traffic?.requests ?? null,
      requests_per_second: traffic?.requestsPerSecond ?? null,
      body_bytes: traffic?.bodyBytes ?? null,
    })),
    use: wireRequestUse(use),
  }
}
