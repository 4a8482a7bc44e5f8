import { BootError } from '../../src/boot-error.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { siteUrl } from '../site/contract.ts'
import { accountExport } from './accounts/account-export.ts'
import { openStandings } from './accounts/standings.ts'
import { billingAdminRoutes } from './pages/admin-routes.tsx'
import './contract.ts'
import { openExemptions } from './accounts/exemption.ts'
import { openTrials } from './accounts/trial.ts'
import { createAdmission } from './checkout/admission.ts'
import { billReader } from './checkout/bill.ts'
import { createCheckout } from './checkout/checkout.ts'
import { openPlans } from './checkout/plans.ts'
import { createAttention } from './enforcement/attention.ts'
import { createEnforcement } from './enforcement/enforcement.ts'
import { createNotices } from './enforcement/notices.ts'
import { billingRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { billingConfig } from './settings.ts'
import { createClosing } from './stripe/closed-accounts.ts'
import { Customers } from './stripe/customers.ts'
import { openDisputes } from './stripe/disputes.ts'
import { createEmailSync } from './stripe/email-sync.ts'
import { createEventQueue } from './stripe/event-queue.ts'
import { reconcile } from './stripe/reconcile.ts'
import { openStripe } from './stripe/stripe.ts'
import { webhookRoute } from './stripe/webhook.ts'

const minute = 60_000

/** Stripe's own pages, where forms of ours lead. */
const stripePages = ['https://checkout.stripe.com', 'https://billing.stripe.com']

export const billing = definePlugin({
  name: 'billing',
  needs: ['auth', 'mail', 'provisioner', 'site'],
  config: billingConfig,
  tables: { schema, migrations: 'plugins/billing/migrations' },
  setup: async ({ config, db, clock, log, services, nudge }) => {
    const { auth, mail, provisioner, site } = services
    const letters = { mail, provisioner, accounts: auth.accounts, site, clock }
    const exported = { 'account-export': ({ id }: { id: string }) => accountExport(db, id) }
    if (!config.stripe) {
      log.info('billing is off: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and BILLING_PLANS are not set')
      const notices = createNotices({ ...letters, trials: null })
      return {
        service: { on: false },
        hooks: exported,
        routes: [
          webhookRoute(null, { clock, log, nudge: () => {} }),
          ...billingRoutes({ auth, clock, payments: null, settle: () => {} }),
          ...billingAdminRoutes(null, { auth, provisioner, clock }),
        ],
        tasks: [{ name: 'write-letters', everyMs: minute, run: async () => notices.ofInstances() }],
        on: {
          'instance-status-changed': ({ to }) => {
            if (to === 'running') nudge('write-letters')
          },
        },
      }
    }

    const { trialMs, trialLimit, graceMs, removalMs } = config
    const tooLarge = config.stripe.plans.flatMap(({ id, limits }) => {
      const fault = limits && provisioner.limitFault(limits, `BILLING_PLANS: the plan ${id}`)
      return fault === null ? [] : [fault]
    })
    if (tooLarge.length > 0) throw new BootError(tooLarge)
    const stripe = await openStripe(config.stripe)
    const terms = { graceMs, removalMs, keptMs: provisioner.retentionMs }
    const trials = openTrials(db, clock, trialMs)
    const customers = new Customers({ db, stripe, accounts: auth.accounts, clock })
    const exemptions = openExemptions(db, clock)
    const standings = openStandings({ db, clock, customers, trials, exemptions, terms })
    const page = () => `${siteUrl(site, 'control')}/billing`
    const { apiBase } = config.stripe
    const plans = openPlans({ list: config.stripe.plans, customers, standings, exemptions })
    const { limits, room, weigh } = plans
    const trialTerms = { standings, trials, trialMs, trialLimit }
    const { closeOrders, ...checkout } = createCheckout({ stripe, customers, plans, clock, page })
    const payments = {
      ...checkout,
      plans: plans.list,
      bill: billReader({ ...trialTerms, plans, customers, exemptions }),
    }
    const { accounts } = auth
    const disputes = openDisputes({ db, stripe, clock })
    const attention = createAttention({ live: stripe.live, customers, disputes, accounts, weigh })
    const syncEmails = createEmailSync({ customers, accounts, stripe, log })
    const endClosed = createClosing({ customers, accounts, stripe, clock, closeOrders })
    const enforcement = createEnforcement({ provisioner, standings, customers, limits, room, clock, log })
    const notices = createNotices({ ...letters, trials })
    const read = async (customerId: string, signal: AbortSignal) => {
      const accountId = await customers.read(customerId, signal)
      if (accountId === null) return null
      await endClosed(accountId, customerId)
      enforcement.settle(accountId)
      return accountId
    }
    const queue = createEventQueue({
      db,
      clock,
      log,
      live: stripe.live,
      read: async (customerId, signal) => {
        const accountId = await read(customerId, signal)
        // What it means is told at once.
        if (accountId !== null) nudge('settle')
        return accountId
      },
      readDisputes: disputes.read,
    })

    const settle = async (signal: AbortSignal) => {
      await enforcement.settleAll(signal, notices.ofAccount)
      notices.ofInstances()
    }
    return {
      service: { on: true },
      routes: [
        webhookRoute({ stripe, queue }, { clock, log, nudge: () => nudge('work-events') }),
        ...billingRoutes({ auth, clock, payments, settle: enforcement.settle }),
        ...billingAdminRoutes(
          {
            ...{
              live: stripe.live,
              queue,
              standings,
              trials,
              trialLimit,
              attention,
              exemptions,
              payments,
              nudge,
            },
            settle: accountId => {
              enforcement.settle(accountId)
              // What it means is told at once.
              nudge('settle')
            },
          },
          { auth, provisioner, clock },
        ),
      ],
      hooks: {
        ...exported,
        'instance-limit': plans.instances,
        'instance-admission': createAdmission({ ...trialTerms, graceMs }),
        'purge-objection': enforcement.objection,
        'form-targets': () =>
          apiBase.hostname === 'api.stripe.com' ? stripePages : [...stripePages, apiBase.origin],
      },
      tasks: [
        { name: 'work-events', everyMs: 10_000, run: signal => queue.flush(signal) },
        { name: 'settle', everyMs: minute, run: settle },
        {
          name: 'reconcile',
          everyMs: 60 * minute,
          run: signal => reconcile({ customers, disputes, read, log, signal }),
        },
        { name: 'sync-emails', everyMs: 10 * minute, run: syncEmails },
        { name: 'prune-events', everyMs: 6 * 60 * minute, run: async () => queue.prune() },
      ],
      on: {
        'account-closed': () => nudge('reconcile'),
        'instance-billed': ({ accountId }) => void enforcement.settle(accountId),
        'account-email-changed': () => nudge('sync-emails'),
        'instance-status-changed': ({ to }) => {
          if (to === 'running') nudge('settle')
        },
      },
      start: () => queue.takeBack(),
    }
  },
})
