import type { OverReason, RequestUse, Rung, State } from '../../plugins/billing/contract.ts'
import { PostButton } from '../components/button.tsx'
import type { Shape, Tone } from '../components/mark.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Time } from '../components/time.tsx'
import { ladderWords } from './ladder-words.ts'
import { OtherPlans, Plans, type PlanView, roomWords, sizeWords } from './plans.tsx'
import { RequestUsePanel } from './request-use.tsx'
import { stopReasons } from './stop-reasons.ts'

export interface BillView {
  standing: {
    state: State
    reason: OverReason | null
    ladder: readonly Rung[]
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
  /** The operator's exemption of the account from payment; null when there is none. */
  exemption: { since: number; why: string; plan: PlanView | null } | null
  customer: boolean
  /** The trial that a first instance starts; null when it starts none. */
  trial: { forMs: number; free: boolean } | null
}

export interface BillingPageProps {
  now: number
  /** Null where payments are not set up. */
  bill: BillView | null
  plans: readonly PlanView[]
  /** False when the owner returns from paying and Stripe cannot confirm the payment yet. */
  confirmed: boolean
  use: readonly RequestUse[]
  /** The plan's limit of requests a second to each instance; null for the default. */
  rate: number | null
}

const looks: Record<State, { tone: Tone; shape: Shape; word: string }> = {
  free: { tone: 'idle', shape: 'ring', word: 'No plan' },
  exempt: { tone: 'ok', shape: 'check', word: 'Exempt' },
  trial: { tone: 'ok', shape: 'clock', word: 'Trial' },
  paid: { tone: 'ok', shape: 'check', word: 'Paid' },
  grace: { tone: 'warn', shape: 'triangle', word: 'Payment failed' },
  over: { tone: 'bad', shape: 'cross', word: 'Stopped' },
}

/** An owner's plan: its state, what happens next, and what the owner can do. */
export function BillingPage({ now, bill, plans, confirmed, use, rate }: BillingPageProps) {
  const busiest = <RequestUsePanel now={now} use={use} limit={rate} base="/instances" />
  if (!bill) {
    return (
      <div class="stack">
        <PageHead title="Plan" />
        <Notice tone="idle" title="Free">
          <p>Payments are not set up on this site. Your instances run without a time limit.</p>
        </Notice>
        {busiest}
      </div>
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
        <Notice tone="busy" title="Your payment is not confirmed yet">
          <p>
            The payment provider is not answering at the moment. Your payment is not lost, so do not pay
            again. Reload this page in a minute.
          </p>
        </Notice>
      ) : null}
      <Situation {...bill} now={now} />
      {standing.ladder.length > 0 ? <Ahead {...bill} now={now} /> : null}
      {busiest}
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
        <p>
          Your account is no longer exempt from payment. Your instance keeps running for now.{' '}
          {subscription ? 'To pay, use “Cards, invoices, cancel” above.' : 'Choose a plan below.'}
        </p>
      </Notice>
    )
  }
  if (state === 'grace') {
    return (
      <>
        <Notice tone="warn" title="A payment failed">
          <p>
            Your instance keeps running for now. To pay the open invoice or change your card, use “Cards,
            invoices, cancel” above.
          </p>
        </Notice>
        <Chosen {...bill} />
      </>
    )
  }
  if (state === 'over') {
    return (
      <>
        <Notice tone="bad" title={stopReasons[reason ?? 'unpaid']}>
          <p>
            Your instance has stopped, and no jobs run. Everything in it is kept and comes back once you pay.
            {subscription ? ' To pay, use “Cards, invoices, cancel” above.' : ' Choose a plan below.'}
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
        The operator of this site paused collection
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
  if (trial === null) return 'There is no free trial here. Choose a plan to create an instance.'
  if (!trial.free)
    return 'All free trials are taken at the moment. Come back in a few days, or choose a plan now.'
  const days = Math.round(trial.forMs / 86_400_000)
  return `Your first instance starts a free trial of ${days === 1 ? 'one day' : `${days} days`}. It needs no card, and you are never charged automatically. Without a plan, the instance stops when the trial ends; everything in it is kept.`
}

/** The plan, its price, and when it renews or ends. */
function Chosen({ standing: { state }, trialEndsAt, subscription, now }: BillView & { now: number }) {
  const { plan = null, quantity = 1, periodEndsAt = null, cancelAt = null } = subscription ?? {}
  const times = quantity > 1 ? ` × ${quantity}` : ''
  const name = plan ? plan.name + times : 'Your subscription'
  return (
    <Panel title={state === 'trial' ? 'Free trial' : name}>
      <Facts
        of={{
          Costs: plan?.cost ? plan.cost + times : null,
          Instances: plan && roomWords(plan),
          'Each instance': plan && sizeWords(plan),
          'Trial until':
            state === 'trial' && trialEndsAt !== null ? <Time at={trialEndsAt} now={now} as="full" /> : null,
          'Paid until':
            state === 'paid' && cancelAt === null && periodEndsAt !== null ? (
              <>
                <Time at={periodEndsAt} now={now} as="full" />; renews automatically
              </>
            ) : null,
          Ends: cancelAt === null ? null : <Time at={cancelAt} now={now} as="full" />,
        }}
      />
    </Panel>
  )
}

function Exempt({ since, why, plan, pays, now }: NonNullable<BillView['exemption']> & Exempting) {
  const size = plan && sizeWords(plan)
  return (
    <Panel title="Exempt from payment">
      <div class="stack">
        <p>
          The operator of this site has exempted you from payment since{' '}
          <Time at={since} now={now} as="full" />. Reason: {why}
        </p>
        {plan ? (
          <p>
            You have the limits of the plan {plan.name}:{' '}
            {plan.instances === 1 ? 'one instance' : `up to ${plan.instances} instances`}
            {size === null ? null : `; each instance: ${size}`}.
          </p>
        ) : null}
        {pays ? (
          <p>
            You also have a subscription, which is still charged. To end it, use “Cards, invoices, cancel”
            above.
          </p>
        ) : null}
      </div>
    </Panel>
  )
}
interface Exempting {
  /** Whether there is a subscription that has not ended. */
  pays: boolean
  now: number
}

function Ahead({ standing: { state, ladder }, subscription, now }: BillView & { now: number }) {
  const unless = subscription ? 'What happens if you do not pay' : 'What happens if you do not choose a plan'
  const title = state === 'paid' ? 'Cancelled: what happens next' : unless
  // A paid account has a ladder only after it has cancelled.
  return (
    <Panel
      title={title}
      aside={state === 'paid' ? 'To undo this, use “Cards, invoices, cancel” above.' : undefined}
    >
      <ol class="plain">
        {ladder.map(({ at, what }) => (
          <li>
            <Time at={at} now={now} as="full" /> (<Time at={at} now={now} />
            ): {ladderWords[what]}
          </li>
        ))}
      </ol>
    </Panel>
  )
}
