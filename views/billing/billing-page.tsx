import { PostButton } from '../components/button.tsx'
import type { Shape, Tone } from '../components/mark.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Time } from '../components/time.tsx'
import { OtherPlans, Plans, type PlanView, roomWords, sizeWords } from './plans.tsx'

export interface BillView {
  standing: {
    state: 'free' | 'exempt' | 'trial' | 'paid' | 'grace' | 'over'
    reason: 'trial' | 'unpaid' | 'canceled' | 'exemption' | null
    ladder: readonly { at: number; what: 'stop' | 'remove' | 'delete' }[]
  }
  trialEndsAt: number | null
  subscription: {
    plan: PlanView | null
    /** How many times the plan is paid for. */
    quantity: number
    periodEndsAt: number | null
    cancelAt: number | null
    /** Set while Stripe collects no payment. */
    pauseBehavior: string | null
    pauseEndsAt: number | null
  } | null
  /** The operator asks no payment; null when they do. */
  exemption: { since: number; why: string; plan: PlanView | null } | null
  customer: boolean
  /** The trial that a first instance begins; null when none would. */
  trial: { forMs: number; free: boolean } | null
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
      {standing.ladder.length > 0 ? <Ahead standing={standing} now={now} /> : null}
      {orders && confirmed ? <Plans plans={plans} trying={standing.state === 'trial'} /> : null}
      {standing.state === 'paid' && !orders && others.length > 0 ? <OtherPlans plans={others} /> : null}
    </div>
  )
}

function Situation(bill: BillView & { now: number }) {
  const { standing, subscription, exemption, now } = bill
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
      <>
        <Notice tone="warn" title="A payment failed">
          <p>
            Your instance runs on for now. Pay what is open, or use another card: the button above leads
            there.
          </p>
        </Notice>
        <Chosen {...bill} />
      </>
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
      <>
        <Notice tone="bad" title={why}>
          <p>
            It has stopped: no job runs. Everything in it is kept, and is back as it was once it is paid
            {subscription ? ': the button above leads there.' : '.'}
          </p>
        </Notice>
        {subscription ? <Chosen {...bill} /> : null}
      </>
    )
  }
  if (state === 'free') {
    return (
      <Notice tone="idle" title="No plan yet">
        <p>{trialWords(bill.trial)}</p>
      </Notice>
    )
  }
  return (
    <>
      <Paused {...bill} />
      <Chosen {...bill} />
    </>
  )
}

/** The operator paused the collection of payments at Stripe. */
function Paused({ subscription, now }: BillView & { now: number }) {
  if (!subscription || subscription.pauseBehavior === null) return null
  const { pauseEndsAt } = subscription
  return (
    <Notice tone="idle" title="No payment is collected at the moment">
      <p>
        The operator of this site paused it
        {pauseEndsAt === null ? null : (
          <>
            {' '}
            until <Time at={pauseEndsAt} now={now} as="full" />
          </>
        )}
        . Your plan counts as paid, and your instances keep running.
      </p>
    </Notice>
  )
}

function trialWords(trial: BillView['trial']): string {
  if (trial === null) return 'There is no trial here: an instance of your own needs a plan first.'
  if (!trial.free) return 'All trials are taken now. Come back in a few days, or choose a plan at once.'
  const days = Math.round(trial.forMs / 86_400_000)
  return `Your first instance begins a trial of ${days === 1 ? 'one day' : `${days} days`}. No card is needed for it, and nothing is paid by itself: without a plan the instance stops after that, and everything in it is kept.`
}

/** What was chosen, what it costs, and until when it goes on. */
function Chosen({ standing: { state }, trialEndsAt, subscription, now }: BillView & { now: number }) {
  const { plan = null, quantity = 1, periodEndsAt = null, cancelAt = null } = subscription ?? {}
  const times = quantity > 1 ? ` × ${quantity}` : ''
  const name = plan ? plan.name + times : 'Your subscription'
  return (
    <Panel title={state === 'trial' ? 'You are trying it' : name}>
      <Facts
        of={{
          Costs: plan?.cost ? plan.cost + times : null,
          Instances: plan && roomWords(plan),
          'Each has': plan && sizeWords(plan),
          'Trial until':
            state === 'trial' && trialEndsAt !== null ? <Time at={trialEndsAt} now={now} as="full" /> : null,
          'Paid until':
            state === 'paid' && cancelAt === null && periodEndsAt !== null ? (
              <>
                <Time at={periodEndsAt} now={now} as="full" />; it renews by itself
              </>
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

function Ahead({ standing, now }: { standing: BillView['standing']; now: number }) {
  const { state, ladder } = standing
  // Who pays and has a ladder has cancelled.
  return (
    <Panel
      title={state === 'paid' ? 'Cancelled: what happens' : 'What happens if nothing is paid'}
      aside={
        state === 'paid' ? '“Cards, invoices, cancel” above leads to where it is taken back.' : undefined
      }
    >
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
