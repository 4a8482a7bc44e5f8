import { BootError } from '../../src/boot-error.ts'
import type { SetupContext, SetupParts } from '../../src/kernel/control-plane.ts'
import { siteUrl } from '../site/contract.ts'
import { accountExport } from './accounts/account-export.ts'
import { openAccountRecords } from './accounts/account-records.ts'
import { createAdmission } from './checkout/admission.ts'
import { openPayments } from './checkout/payments.ts'
import type { Plan } from './contract.ts'
import type { declaration } from './declaration.ts'
import { createAttention } from './enforcement/attention.ts'
import { Enforcement } from './enforcement/enforcement.ts'
import { createNotices } from './enforcement/notices.ts'
import { billingAdminRoutes } from './pages/admin-routes.tsx'
import { billingRoutes } from './routes.tsx'
import type { StripeSettings } from './settings.ts'
import { Customers } from './stripe/customers.ts'
import { openStripe } from './stripe/stripe.ts'
import { createStripeSync } from './stripe/sync.ts'
import { webhookRoute } from './stripe/webhook.ts'

const minute = 60_000

/** Stripe's own pages, where forms of ours lead. */
const stripePages = ['https://checkout.stripe.com', 'https://billing.stripe.com']

type Context = SetupContext<typeof declaration>
type Parts = SetupParts<typeof declaration>

/** Billing without payments: every owner may have instances, and pages and the API say so. */
export function setUpWithoutStripe({ db, clock, log, services, nudge }: Context): Parts {
  const { auth, mail, provisioner, site } = services
  log.info('billing is off: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and BILLING_PLANS are not set')
  const notices = createNotices({ mail, provisioner, accounts: auth.accounts, site, clock, trials: null })
  return {
    service: { on: false },
    hooks: { 'account-export': ({ id }) => accountExport(db, id) },
    routes: [
      webhookRoute(null, { clock, log, nudge: () => {} }),
      ...billingRoutes({ auth, clock, provisioner, payments: null, enforce: () => {} }),
      ...billingAdminRoutes(null, { auth, provisioner, clock }),
    ],
    tasks: [{ name: 'write-emails', everyMs: minute, run: async () => notices.ofInstances() }],
    on: {
      'instance-status-changed': ({ to }) => {
        if (to === 'running') nudge('write-emails')
      },
    },
  }
}

/** Opens Stripe and everything that rests on it. Throws a BootError for a plan that no instance could run within. */
export async function setUpWithStripe(context: Context, settings: StripeSettings): Promise<Parts> {
  const { config, db, clock, log, services, nudge } = context
  const { auth, mail, provisioner, router, site } = services
  const { accounts } = auth
  const { trialMs, trialLimit, graceMs, removalMs } = config
  refuseOversizedPlans(settings.plans, provisioner)
  const stripe = await openStripe(settings)
  const terms = { graceMs, removalMs, keptMs: provisioner.retentionMs }
  const customers = new Customers({ db, stripe, accounts, clock })
  const records = openAccountRecords({ db, clock, customers, trialMs, terms })
  const { standings, trials, exemptions } = records
  const { plans, payments, closeOrders } = openPayments({
    ...{ ...records, list: settings.plans, stripe, customers, clock, trialMs, trialLimit },
    page: () => `${siteUrl(site, 'control')}/billing`,
  })
  const { limits, traffic, room, weigh, nameOf: planName } = plans
  const enforcement = new Enforcement({
    provisioner,
    router,
    standings,
    customers,
    limits,
    traffic,
    room,
    planName,
    clock,
    log,
  })
  const notices = createNotices({ mail, provisioner, accounts, site, clock, trials })
  const enforce = (accountId: string) => void enforcement.enforce(accountId)
  /** Enforces now, and has the task send the owner’s notices. */
  const enforceAndNotify = (accountId: string) => {
    enforce(accountId)
    nudge('enforce')
  }
  const { disputes, queue, ...sync } = createStripeSync({
    ...{ db, stripe, customers, accounts, clock, log, closeOrders },
    onRead: (accountId, why) => (why === 'event' ? enforceAndNotify : enforce)(accountId),
  })
  const attention = createAttention({ live: stripe.live, customers, disputes, accounts, weigh })
  const admin = { live: stripe.live, queue, standings, trials, trialLimit, attention, exemptions, payments }

  return {
    service: { on: true },
    routes: [
      webhookRoute({ stripe, queue }, { clock, log, nudge: () => nudge('work-events') }),
      ...billingRoutes({ auth, clock, provisioner, payments, enforce }),
      ...billingAdminRoutes({ ...admin, nudge, enforce: enforceAndNotify }, { auth, provisioner, clock }),
    ],
    hooks: {
      'account-export': ({ id }) => accountExport(db, id),
      'instance-limit': plans.instances,
      'instance-admission': createAdmission({ standings, trials, trialMs, trialLimit, graceMs }),
      'purge-objection': (instance, signal) => enforcement.objection(instance, signal),
      'form-targets': () => formTargets(settings),
    },
    tasks: [
      { name: 'work-events', everyMs: 10_000, run: signal => queue.flush(signal) },
      {
        name: 'enforce',
        everyMs: minute,
        run: async signal => {
          await enforcement.enforceAll(signal, notices.ofAccount)
          notices.ofInstances()
        },
      },
      { name: 'reconcile', everyMs: 60 * minute, run: sync.reconcile },
      { name: 'sync-emails', everyMs: 10 * minute, run: sync.syncEmails },
      { name: 'prune-events', everyMs: 6 * 60 * minute, run: async () => queue.prune() },
    ],
    on: {
      'account-closed': () => nudge('reconcile'),
      'instance-billed': ({ accountId }) => enforce(accountId),
      'account-email-changed': () => nudge('sync-emails'),
      'instance-status-changed': ({ to }) => {
        if (to === 'running') nudge('enforce')
      },
    },
    start: () => {
      enforcement.publishLimits()
      return queue.takeBack()
    },
  }
}

function refuseOversizedPlans(
  plans: readonly Plan[],
  provisioner: Pick<Context['services']['provisioner'], 'limitFault'>,
): void {
  const faults = plans.flatMap(({ id, limits }) => {
    const fault = limits && provisioner.limitFault(limits, `BILLING_PLANS: the plan ${id}`)
    return fault === null ? [] : [fault]
  })
  if (faults.length > 0) throw new BootError(faults)
}

function formTargets({ apiBase }: StripeSettings): readonly string[] {
  return apiBase.hostname === 'api.stripe.com' ? stripePages : [...stripePages, apiBase.origin]
}
