import { PostButton } from '../components/button.tsx'
import { Live } from '../components/live.tsx'
import type { Shape, Tone } from '../components/mark.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Pages, Table } from '../components/table.tsx'
import { NotYet, Time } from '../components/time.tsx'

export interface AccountView {
  accountId: string
  email: string | null
  state: 'free' | 'trial' | 'paid' | 'grace' | 'over'
  since: number
  next: { at: number; what: 'stop' | 'remove' | 'delete' } | null
  error: string | null
}

export interface EventView {
  id: string
  type: string
  status: 'queued' | 'working' | 'done' | 'ignored' | 'failed'
  attempts: number
  receivedAt: number
  error: string | null
}

export interface BillingAdminProps {
  now: number
  on: boolean
  live: boolean | null
  trials: { going: number; limit: number }
  accounts: readonly AccountView[]
  list: { events: readonly EventView[]; total: number; limit: number; offset: number }
}

type Look = { tone: Tone; shape: Shape; word: string }

const states: Record<AccountView['state'], Look> = {
  free: { tone: 'idle', shape: 'ring', word: 'No plan' },
  trial: { tone: 'ok', shape: 'clock', word: 'Trial' },
  paid: { tone: 'ok', shape: 'check', word: 'Paid' },
  grace: { tone: 'warn', shape: 'triangle', word: 'Grace period' },
  over: { tone: 'bad', shape: 'cross', word: 'Not paid' },
}
const steps = { stop: 'stops', remove: 'is removed', delete: 'data is deleted' } as const

const outcomes: Record<EventView['status'], Look> = {
  queued: { tone: 'busy', shape: 'clock', word: 'Waiting' },
  working: { tone: 'busy', shape: 'turning', word: 'At work' },
  done: { tone: 'ok', shape: 'check', word: 'Done' },
  ignored: { tone: 'idle', shape: 'slash', word: 'Of no matter' },
  failed: { tone: 'bad', shape: 'cross', word: 'Given up' },
}

/** Money as the operator sees it: the live part is the whole page. */
export function BillingAdminPage({ now, on, live, trials, accounts, list }: BillingAdminProps) {
  const { events, total, limit, offset } = list
  return (
    <Live id="billing" src={`/admin/billing?offset=${offset}`} everySeconds={5}>
      <PageHead
        title="Billing"
        lead={on ? `${trials.going} of ${trials.limit} trials go on.` : undefined}
        status={
          live === false ? (
            <Badge tone="warn" shape="triangle">
              Test mode
            </Badge>
          ) : undefined
        }
        actions={on ? <PostButton action="/admin/billing/reconcile">Ask Stripe now</PostButton> : undefined}
      />
      {on ? null : (
        <Notice tone="warn" title="Billing is off">
          <p>
            Nothing costs anything, and nothing is limited. To take payments, set{' '}
            <code>STRIPE_SECRET_KEY</code>, <code>STRIPE_WEBHOOK_SECRET</code> and <code>BILLING_PLANS</code>,
            and start the control plane again.
          </p>
        </Notice>
      )}
      <Panel title="Accounts" aside={accounts.length === 0 ? null : `${accounts.length} in all`} flush>
        {accounts.length === 0 ? (
          <EmptyState title="Nobody tries or pays yet">
            <p>Whoever signs up and makes an instance stands here.</p>
          </EmptyState>
        ) : (
          <Accounts accounts={accounts} now={now} />
        )}
      </Panel>
      <Panel title="What Stripe told" aside={total === 0 ? null : `${total} in all`} flush>
        {events.length === 0 ? (
          <EmptyState title={offset === 0 ? 'Nothing yet' : 'Nothing this far back'}>
            <p>Stripe sends its events to /webhooks/stripe. Every hour it is asked anyway.</p>
          </EmptyState>
        ) : (
          <Events events={events} now={now} />
        )}
        <Pages total={total} limit={limit} offset={offset} href={to => `/admin/billing?offset=${to}`} />
      </Panel>
    </Live>
  )
}

function Looks({ look }: { look: Look }) {
  return (
    <Badge tone={look.tone} shape={look.shape}>
      {look.word}
    </Badge>
  )
}

function Accounts({ accounts, now }: Pick<BillingAdminProps, 'accounts' | 'now'>) {
  return (
    <Table
      caption="Accounts that try or pay"
      rows={accounts}
      rowId={account => `row-${account.accountId}`}
      columns={[
        { label: 'Account', kind: 'lead', cell: account => account.email ?? account.accountId },
        {
          label: 'State',
          cell: account => (
            <>
              <Looks look={states[account.state]} />
              {account.error ? <span class="sub">{account.error}</span> : null}
            </>
          ),
        },
        { label: 'Since', cell: account => <Time at={account.since} now={now} /> },
        {
          label: 'Next',
          cell: ({ next }) =>
            next ? (
              <>
                {steps[next.what]} <Time at={next.at} now={now} />
              </>
            ) : (
              <NotYet words="nothing" />
            ),
        },
      ]}
    />
  )
}

function Events({ events, now }: { events: readonly EventView[]; now: number }) {
  return (
    <Table
      caption="Events, newest first"
      rows={events}
      rowId={event => `row-${event.id}`}
      columns={[
        { label: 'Event', kind: 'lead', cell: event => event.type },
        {
          label: 'State',
          cell: event => (
            <>
              <Looks look={outcomes[event.status]} />
              {event.error ? <span class="sub">{event.error}</span> : null}
            </>
          ),
        },
        { label: 'Attempts', kind: 'number', cell: event => event.attempts },
        { label: 'Came', cell: event => <Time at={event.receivedAt} now={now} /> },
        {
          label: 'Actions',
          kind: 'end',
          cell: event =>
            event.status === 'failed' || (event.status === 'queued' && event.attempts > 0) ? (
              <PostButton
                action={`/admin/billing/events/${event.id}/retry`}
                look="quiet"
                label={`Work ${event.type} again`}
              >
                Retry
              </PostButton>
            ) : null,
        },
      ]}
    />
  )
}
