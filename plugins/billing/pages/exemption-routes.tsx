import { z } from 'zod'
import { type Clock, timestamp } from '../../../src/clock.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type AppContext, type FieldErrors, type Route, route } from '../../../src/http/route.ts'
import { BillingAccountPage } from '../../../views/operator/billing-account-page.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import type { Account, AuthService } from '../../auth/contract.ts'
import type { ProvisionerService } from '../../provisioner/contract.ts'
import type { Exemptions } from '../accounts/exemption.ts'
import { requestUse, requestUseSchema, wireRequestUse } from '../accounts/request-use.ts'
import type { Standings } from '../accounts/standings.ts'
import type { Payments } from '../checkout/payments.ts'
import type { Plan, RequestUse, State } from '../contract.ts'
import { alreadyExempt, notExempt, unknownAccount, unknownPlan } from '../problems.ts'
import type { Exemption } from '../schema.ts'

const time = z.iso.datetime()
const exemptionSchema = z.object({
  plan: z.string(),
  why: z.string(),
  by: z.string(),
  since: time,
  ended_at: time.nullable(),
  ended_by: z.string().nullable(),
  ended_why: z.string().nullable(),
})
const accountSchema = z.object({
  account_id: z.string(),
  email: z.string().nullable(),
  state: z.string(),
  since: time,
  subdomains: z.array(z.string()),
  plan: z.string().nullable().meta({ description: 'The plan whose limits apply; null for none' }),
  use: requestUseSchema,
  exemption: exemptionSchema.nullable().meta({ description: 'The active exemption' }),
  earlier: z.array(exemptionSchema).meta({ description: 'The exemptions that have ended, newest first' }),
})

const words = (longest: number, what: string) =>
  z
    .string(`must say ${what}`)
    .trim()
    .min(1, `must say ${what}`)
    .max(longest, `may have at most ${longest} characters`)
const said = { why: words(300, 'why'), by: words(80, 'who decided it') }
const named = z.object({ id: z.string().max(100) })
const answers = {
  200: { description: 'Done; the account as it is now', schema: accountSchema },
  303: { description: 'For a browser: back to the page' },
}

export interface ExemptionParts {
  standings: Standings
  exemptions: Exemptions
  payments: Pick<Payments, 'plans' | 'planOf' | 'bill'>
  /** Brings an account's instances in line with its billing state, and notifies its owner. */
  enforce(accountId: string): void
}

interface RouteParts {
  auth: AuthService
  provisioner: ProvisionerService
  clock: Clock
  /** Throws where payments are not set up. */
  open(): ExemptionParts
}

/** Exempting accounts from payment. */
export function exemptionRoutes(parts: RouteParts): Route[] {
  return [showAccount(parts), exempt(parts), endExemption(parts)]
}

const showAccount = (parts: RouteParts) =>
  route({
    method: 'get',
    path: '/admin/billing/accounts/{id}',
    summary: 'One account’s billing state and exemptions',
    guard: parts.auth.admin,
    role: 'read',
    params: named,
    answers: { 200: { description: 'The account', schema: accountSchema } },
    handle: (c, { params: { id } }) =>
      wantsPage(c) ? form(parts, c, id, [], {}) : c.json(wireView(view(parts, id))),
  })

const exempt = (parts: RouteParts) =>
  route({
    method: 'post',
    path: '/admin/billing/accounts/{id}/exempt',
    summary: 'Exempt an account from payment; it runs within a plan’s limits until the exemption ends',
    guard: parts.auth.admin,
    role: 'own',
    params: named,
    body: z.object({
      ...said,
      plan: z.string('must be the id of a plan').max(60, 'must be the id of a plan'),
    }),
    answers,
    onInvalid: (c, errors, fields) => form(parts, c, c.req.param('id') ?? '', errors, fields),
    handle: (c, { params: { id }, body: { plan, why, by } }) => {
      const { payments, exemptions, enforce } = parts.open()
      const account = accountOf(parts, id)
      if (account.closedAt !== null)
        throw unknownAccount('The owner has deleted this account. Nothing was changed.')
      if (!payments.plans.some(each => each.id === plan)) {
        const known = payments.plans.map(each => each.id).join(', ')
        throw unknownPlan(`There is no plan "${plan}". The plans are ${known}. Nothing was changed.`, {
          errors: [{ path: 'plan', message: `must be one of ${known}` }],
        })
      }
      if (!exemptions.begin(id, { planId: plan, why, by }))
        throw alreadyExempt('Nothing was changed. End the active exemption first.')
      enforce(id)
      return answer(parts, c, id)
    },
  })

const endExemption = (parts: RouteParts) =>
  route({
    method: 'post',
    path: '/admin/billing/accounts/{id}/end-exemption',
    summary: 'End an account’s exemption; its owner has the grace period to choose a plan',
    guard: parts.auth.admin,
    role: 'own',
    params: named,
    body: z.object(said),
    answers,
    onInvalid: (c, errors, fields) => form(parts, c, c.req.param('id') ?? '', errors, fields),
    handle: (c, { params: { id }, body }) => {
      const { exemptions, enforce } = parts.open()
      accountOf(parts, id)
      if (!exemptions.end(id, body))
        throw notExempt('Nothing was changed. There is no active exemption to end.')
      enforce(id)
      return answer(parts, c, id)
    },
  })

interface AccountView {
  account: { accountId: string; email: string | null; state: State; since: number; subdomains: string[] }
  /** The plan whose limits apply. */
  plan: Plan | null
  use: RequestUse[]
  /** The active one; null when there is none. */
  exemption: Exemption | null
  /** The ones that have ended, newest first. */
  earlier: Exemption[]
}

function accountOf({ auth }: RouteParts, id: string): Account {
  const account = auth.accounts.get(id)
  if (!account) throw unknownAccount(`No account has the id "${id}".`)
  return account
}

function view(parts: RouteParts, id: string): AccountView {
  const { standings, exemptions, payments } = parts.open()
  const { email } = accountOf(parts, id)
  const { state, since } = standings.of(id)
  const history = exemptions.history(id)
  const mine = parts.provisioner.instances().filter(({ accountId }) => accountId === id)
  return {
    account: {
      ...{ accountId: id, email: email || null, state, since },
      subdomains: mine.map(({ subdomain }) => subdomain),
    },
    plan: payments.planOf(id),
    use: requestUse(parts.provisioner, id),
    exemption: history.find(({ endedAt }) => endedAt === null) ?? null,
    earlier: history.filter(({ endedAt }) => endedAt !== null).reverse(),
  }
}

function form(
  parts: RouteParts,
  c: AppContext,
  id: string,
  errors: FieldErrors,
  values: Record<string, unknown>,
) {
  if (errors.length > 0) c.status(422)
  const { account, plan, use, exemption, earlier } = view(parts, id)
  const { plans, bill } = parts.open().payments
  const planName = (planId: string) => plans.find(each => each.id === planId)?.name ?? planId
  const shown = (each: Exemption) => ({ ...each, plan: planName(each.planId) })
  const page = (
    <BillingAccountPage
      now={parts.clock.now()}
      {...{ account, plan, use }}
      pays={bill(id).subscription !== null}
      exemption={exemption && shown(exemption)}
      earlier={earlier.map(shown)}
      plans={plans}
      values={Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))}
      errors={Object.fromEntries(errors.map(({ path, message }) => [path, message]))}
    />
  )
  return c.render(page, operatorFrame(account.email ?? 'Account', '/admin/billing'))
}

const answer = (parts: RouteParts, c: AppContext, id: string) =>
  wantsPage(c) ? c.redirect(`/admin/billing/accounts/${id}`, 303) : c.json(wireView(view(parts, id)))

function wireView({ account, plan, use, exemption, earlier }: AccountView): z.infer<typeof accountSchema> {
  return {
    account_id: account.accountId,
    email: account.email,
    state: account.state,
    since: timestamp(account.since),
    subdomains: account.subdomains,
    plan: plan?.id ?? null,
    use: wireRequestUse(use),
    exemption: exemption && wireExemption(exemption),
    earlier: earlier.map(wireExemption),
  }
}

function wireExemption(each: Exemption): z.infer<typeof exemptionSchema> {
  return {
    plan: each.planId,
    why: each.why,
    by: each.by,
    since: timestamp(each.since),
    ended_at: timestamp(each.endedAt),
    ended_by: each.endedBy,
    ended_why: each.endedWhy,
  }
}
