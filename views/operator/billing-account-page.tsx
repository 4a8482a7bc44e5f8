import type { RequestUse } from '../../plugins/billing/contract.ts'
import { type PlanView, roomWords, sizeWords } from '../billing/plans.tsx'
import { RequestUsePanel } from '../billing/request-use.tsx'
import { Button, Confirm, PostForm } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Facts, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { NotYet, Time } from '../components/time.tsx'
import { type AccountView, states } from './billing-page.tsx'

export interface ExemptionView {
  plan: string
  why: string
  by: string
  since: number
  endedAt: number | null
  endedBy: string | null
  endedWhy: string | null
}

export interface BillingAccountProps {
  now: number
  account: Pick<AccountView, 'accountId' | 'email' | 'state' | 'since' | 'subdomains'>
  /** The plan whose limits apply; null for none. */
  plan: PlanView | null
  use: readonly RequestUse[]
  /** Whether the account has a subscription that has not ended. */
  pays: boolean
  /** The active one; null when there is none. */
  exemption: ExemptionView | null
  /** The ones that have ended, newest first. */
  earlier: readonly ExemptionView[]
  plans: readonly { id: string; name: string }[]
  /** What the operator typed, and its errors. */
  values: Readonly<Record<string, string>>
  errors: Readonly<Record<string, string>>
}

/** One account for the operator: its billing state, and its exemption from payment. */
export function BillingAccountPage(props: BillingAccountProps) {
  const { account, plan, use, exemption, earlier, pays, now } = props
  const { tone, shape, word } = states[account.state]
  return (
    <div class="stack">
      <PageHead
        title={account.email ?? account.accountId}
        crumb={{ href: '/admin/billing', label: 'Billing' }}
        status={
          <Badge tone={tone} shape={shape}>
            {word}
          </Badge>
        }
      />
      <Panel>
        <Facts
          of={{
            Id: <code>{account.accountId}</code>,
            'In this state since': <Time at={account.since} now={now} as="full" />,
            Subscription: pays ? 'yes, at Stripe' : 'none',
            Plan: plan ? plan.name : <NotYet words="none" />,
            'Instances in the plan': plan && roomWords(plan),
            'Each instance': plan && sizeWords(plan),
            Instances:
              account.subdomains.length === 0 ? <NotYet words="none" /> : account.subdomains.join(', '),
          }}
        />
      </Panel>
      <RequestUsePanel
        {...{ now, use }}
        limit={plan?.traffic?.requestsPerSecond ?? null}
        base="/admin/instances"
      />
      {exemption ? <ActiveExemption {...props} exemption={exemption} /> : <ExemptForm {...props} />}
      {earlier.length > 0 ? (
        <Panel title="Earlier exemptions">
          <ul class="plain">
            {earlier.map(each => (
              <li>
                <Time at={each.since} now={now} as="full" /> to{' '}
                {each.endedAt === null ? 'now' : <Time at={each.endedAt} now={now} as="full" />}: {each.why}{' '}
                (by {each.by}). Ended by {each.endedBy}: {each.endedWhy}
              </li>
            ))}
          </ul>
        </Panel>
      ) : null}
    </div>
  )
}

function ActiveExemption({ account, exemption, now, values, errors }: Shown) {
  return (
    <Panel title="Exempt from payment">
      <div class="stack">
        <Facts
          of={{
            Since: <Time at={exemption.since} now={now} as="full" />,
            By: exemption.by,
            Reason: exemption.why,
            'Limits of the plan': exemption.plan,
          }}
        />
        <Confirm
          ask="End the exemption"
          confirm="Require a plan from now on"
          look="plain"
          action={`/admin/billing/accounts/${account.accountId}/end-exemption`}
        >
          <div class="stack">
            <p>
              The owner is notified and has the grace period to choose a plan. After that, the instances stop.
              Data is deleted only at the end of the usual steps for unpaid accounts.
            </p>
            <Words values={values} errors={errors} ask="Reason, for the record" />
          </div>
        </Confirm>
      </div>
    </Panel>
  )
}
type Shown = BillingAccountProps & { exemption: ExemptionView }

function ExemptForm({ account, plans, values, errors }: BillingAccountProps) {
  return (
    <Panel title="Payment">
      <PostForm action={`/admin/billing/accounts/${account.accountId}/exempt`} look="stack">
        <p>
          An exempt account pays nothing and runs within a plan’s limits until you end the exemption. Use it
          for friends, your own instances or customers you invoice yourself. Instances that were stopped or
          removed because they were not paid for come back at once.
        </p>
        <Field
          name="plan"
          label="Limits of the plan"
          value={values.plan}
          error={errors.plan}
          options={plans.map(({ id, name }) => ({ value: id, label: name }))}
        />
        <Words values={values} errors={errors} ask="Reason, which the owner sees too" />
        <div class="actions">
          <Button look="primary">Exempt from payment</Button>
        </div>
      </PostForm>
    </Panel>
  )
}

function Words({ values, errors, ask }: Pick<BillingAccountProps, 'values' | 'errors'> & { ask: string }) {
  return (
    <>
      <Field name="why" label={ask} value={values.why} error={errors.why} required />
      <Field name="by" label="Your name, for the record" value={values.by} error={errors.by} required />
    </>
  )
}
