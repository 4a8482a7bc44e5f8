import { PostButton } from '../components/button.tsx'
import type { Shape, Tone } from '../components/mark.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'

export interface PlanView {
  id: string
  name: string
  cost: string
  instances: number
}

export interface BillView {
  standing: {
    state: 'free' | 'exempt' | 'trial' | 'paid' | 'grace' | 'over'
    reason: 'trial' | 'unpaid' | 'canceled' | 'exemption' | null
    ladder: readonly { at: number; what: 'stop' | 'remove' | 'delete' }[]
  }
  trialEndsAt: number | null
  subscription: { plan: PlanView | null; periodEndsAt: number | null; cancelAt: number | null } | null
  /** The operator asks no payment; null when they do. */
  exemption: { since: number; why: string; plan: PlanView | null } | null
  customer: boolean
}

export interface BillingPageProps {
  now: number
  /** Null where payments are not set up. */
  bill: BillView | null
  plans: readonly PlanView[]
  /** False for who comes back from paying while nobody can say what became of it. */
  confirmed: boolean
}

type State = BillView['standing']['state']

const looks: Record<State, { tone: Tone; shape: Shape; word: string }> = {
  free: { tone: 'idle', shape: 'ring', word: 'No plan' },
  exempt: { tone: 'ok', shape: 'check', word: 'Free of charge' },
  trial: { tone: 'ok', shape: 'clock', word: 'Trial' },
  paid: { tone: 'ok', shape: 'check', word: 'Paid' },
  grace: { tone: 'warn', shape: 'triangle', word: 'Payment failed' },
  over: { tone: 'bad', shape: 'cross', word: 'Stopped' },
}

/** An owner's plan: how it stands, what happens next, and what can be done about it. */
export function BillingPage({ now, bill, plans, confirmed }: BillingPageProps) {
  if (!bill) {
    return (
      <>
        <PageHead title="Plan" />
        <Notice tone="idle" title="Nothing costs anything here">
          <p>Payments are not set up on this site. Your instances run without limits of time.</p>
        </Notice>
      </>
    )
  }
  const { standing, subscription, customer } = bill
  const { tone, shape, word } = looks[standing.state]
  const orders = subscription === null && standing.state !== 'exempt'
  const others = plans.filter(({ id }) => id !== subscription?.plan?.id)
  return (
    <div class="stack">
      <PageHead
        title="Plan"
        status={
          <Badge tone={tone} shape={shape}>
            {standing.reason === 'exemption' && standing.state === 'grace' ? 'Plan needed' : word}
          </Badge>
        }
        actions={
          customer ? (
            <PostButton action="/portal" look={subscription ? 'primary' : 'plain'}>
              Cards, invoices, cancel
            </PostButton>
          ) : undefined
        }
      />
      {orders && !confirmed ? (
        <Notice tone="busy" title="What you paid is not confirmed yet">
          <p>
            The payment provider does not answer just now. Load this page again in a minute, and do not pay a
            second time: what you paid is not lost.
          </p>
        </Notice>
      ) : null}
      <Situation {...bill} now={now} />
      {standing.ladder.length > 0 ? <Ahead ladder={standing.ladder} now={now} /> : null}
      {orders && confirmed ? <Plans plans={plans} /> : null}
      {standing.state === 'paid' && !orders && others.length > 0 ? <OtherPlans plans={others} /> : null}
    </div>
  )
}

function Situation({ standing, trialEndsAt, subscription, exemption, now }: BillView & { now: number }) {
  const { state, reason } = standing
  if (exemption) return <Exempt {...exemption} pays={subscription !== null} now={now} />
  if (state === 'grace' && reason === 'exemption') {
    return (
      <Notice tone="warn" title="You need a plan from now on">
        <p>It was free of charge, and is no more. Your instance runs on for now: choose a plan below.</p>
      </Notice>
    )
  }
  if (state === 'grace') {
    return (
      <Notice tone="warn" title="A payment failed">
        <p>
          Your instance runs on for now. Pay what is open, or use another card: the button above leads there.
        </p>
      </Notice>
    )
  }
  if (state === 'over') {
    const why = {
      trial: 'Your trial is over.',
      unpaid: 'Your instance is not paid for.',
      canceled: 'Your subscription has ended.',
      exemption: 'It is free of charge no more, and no plan was chosen.',
    }[reason ?? 'unpaid']
    return (
      <Notice tone="bad" title={why}>
        <p>
          It has stopped: no job runs. Everything in it is kept, and is back as it was once it is paid
          {subscription ? ': the button above leads there.' : '.'}
        </p>
      </Notice>
    )
  }
  if (state === 'free') {
    return (
      <Notice tone="idle" title="No plan yet">
        <p>Your first instance begins a trial. No card is needed for it.</p>
      </Notice>
    )
  }
  const { plan = null, periodEndsAt = null, cancelAt = null } = subscription ?? {}
  return (
    <Panel title={state === 'trial' ? 'You are trying it' : (plan?.name ?? 'Your subscription')}>
      <Facts
        of={{
          Costs: plan?.cost || null,
          Instances: plan && room(plan),
          'Trial until':
            state === 'trial' && trialEndsAt !== null ? <Time at={trialEndsAt} now={now} as="full" /> : null,
          'Paid until':
            cancelAt === null && periodEndsAt !== null ? (
              <Time at={periodEndsAt} now={now} as="full" />
            ) : null,
          Ends: cancelAt === null ? null : <Time at={cancelAt} now={now} as="full" />,
        }}
      />
    </Panel>
  )
}

function Exempt({ since, why, plan, pays, now }: NonNullable<BillView['exemption']> & Exempting) {
  return (
    <Panel title="You pay nothing here">
      <div class="stack">
        <p>
          The operator of this site asks no payment of you since <Time at={since} now={now} as="full" />:{' '}
          {why}
        </p>
        {plan ? (
          <p>
            Your instances run as on the plan {plan.name},{' '}
            {plan.instances === 1 ? 'one of them' : `up to ${plan.instances} of them`}.
          </p>
        ) : null}
        {pays ? (
          <p>
            Your subscription goes on beside that, and is charged: to end it, use the button{' '}
            <em>Cards, invoices, cancel</em>.
          </p>
        ) : null}
      </div>
    </Panel>
  )
}
interface Exempting {
  /** There is a subscription that goes on. */
  pays: boolean
  now: number
}

const rungs = {
  stop: 'Your instance stops. Everything in it is kept.',
  remove: 'It is removed. Its data is kept, and paying brings it back.',
  delete: 'Its data is deleted for good.',
} as const

function Ahead({ ladder, now }: { ladder: BillView['standing']['ladder']; now: number }) {
  return (
    <Panel title="What happens if nothing is paid">
      <ol class="plain">
        {ladder.map(({ at, what }) => (
          <li>
            <Time at={at} now={now} as="full" /> (<Time at={at} now={now} />
            ): {rungs[what]}
          </li>
        ))}
      </ol>
    </Panel>
  )
}

const room = ({ instances }: PlanView) => (instances === 1 ? 'one' : `up to ${instances}`)

/** To whoever has one: the portal changes it. */
function OtherPlans({ plans }: { plans: readonly PlanView[] }) {
  return (
    <Panel title="Other plans" aside="The button above leads to where it is changed." flush>
      <Table
        caption="Other plans"
        rows={plans}
        rowId={plan => `plan-${plan.id}`}
        columns={[
          { label: 'Plan', kind: 'lead', cell: plan => <strong>{plan.name}</strong> },
          { label: 'Costs', cell: plan => plan.cost },
          { label: 'Instances', cell: room },
        ]}
      />
    </Panel>
  )
}

function Plans({ plans }: { plans: readonly PlanView[] }) {
  return (
    <Panel title="Choose a plan" flush>
      <Table
        caption="Plans"
        rows={plans}
        rowId={plan => `plan-${plan.id}`}
        columns={[
          { label: 'Plan', kind: 'lead', cell: plan => <strong>{plan.name}</strong> },
          { label: 'Costs', cell: plan => plan.cost },
          { label: 'Instances', cell: room },
          {
            label: 'Actions',
            kind: 'end',
            cell: plan => (
              <PostButton
                action="/checkout"
                fields={{ plan: plan.id }}
                look="primary"
                label={`Choose ${plan.name}`}
              >
                Choose
              </PostButton>
            ),
          },
        ]}
      />
    </Panel>
  )
}
