import type { Attention, ListedAccount } from '../../plugins/billing/contract.ts'
import { PostButton } from '../components/button.tsx'
import { listAddress } from '../components/list-address.ts'
import { Live } from '../components/live.tsx'
import type { Shape, Tone } from '../components/mark.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Search } from '../components/search.tsx'
import { Badge } from '../components/status.tsx'
import { Pages, Table } from '../components/table.tsx'
import { NotYet, Time } from '../components/time.tsx'
import { AttentionPanel } from './billing-attention.tsx'

export type AccountView = Omit<ListedAccount, 'readAt'>

export interface BillingAdminProps {
  now: number
  on: boolean
  live: boolean | null
  trials: { going: number; limit: number }
  /** How many events have failed, or have been queued for long. */
  troubled: number
  attention: readonly Attention[]
  /** One page of the accounts; `total` counts all of them. */
  accounts: readonly AccountView[]
  total: number
  /** The search words, '' for none, and which part of the results is shown. */
  list: { search: string; total: number; limit: number; offset: number }
}

const path = '/admin/billing'

export const states: Record<AccountView['state'], { tone: Tone; shape: Shape; word: string }> = {
  free: { tone: 'idle', shape: 'ring', word: 'No plan' },
  exempt: { tone: 'ok', shape: 'check', word: 'Exempt' },
  trial: { tone: 'ok', shape: 'clock', word: 'Trial' },
  paid: { tone: 'ok', shape: 'check', word: 'Paid' },
  grace: { tone: 'warn', shape: 'triangle', word: 'Grace period' },
  over: { tone: 'bad', shape: 'cross', word: 'Not paid' },
}
const steps = { stop: 'stops', remove: 'is removed', delete: 'data is deleted' } as const

/** Billing for the operator. The whole page is live. */
export function BillingAdminPage(props: BillingAdminProps) {
  const { now, on, live, trials, troubled, attention, total, list } = props
  const address = (offset: number) => listAddress(path, { search: list.search, offset })
  return (
    <Live id="billing" src={address(list.offset)} everySeconds={5}>
      <PageHead
        title="Billing"
        lead={on ? `${trials.going} of ${trials.limit} trials in use.` : undefined}
        status={
          live === false ? (
            <Badge tone="warn" shape="triangle">
              Test mode
            </Badge>
          ) : undefined
        }
        actions={
          on ? (
            <>
              {list.search || total > 20 ? (
                <Search
                  action={path}
                  words={list.search}
                  label="Search accounts by email address or instance"
                  placeholder="Search accounts"
                />
              ) : null}
              <a class="button" href="/admin/billing/events">
                Stripe events
              </a>
              <PostButton action="/admin/billing/reconcile">Check with Stripe</PostButton>
            </>
          ) : undefined
        }
      />
      {on ? null : (
        <Notice tone="warn" title="Billing is off">
          <p>
            Instances are free and unlimited. To take payments, set <code>STRIPE_SECRET_KEY</code>,{' '}
            <code>STRIPE_WEBHOOK_SECRET</code> and <code>BILLING_PLANS</code>, and restart the control plane.
          </p>
        </Notice>
      )}
      {troubled > 0 ? (
        <Notice
          tone="warn"
          title={
            troubled === 1
              ? 'A Stripe event could not be processed'
              : `${troubled} Stripe events could not be processed`
          }
        >
          <p>
            Nothing is lost: every account is checked with Stripe once an hour anyway.{' '}
            <a href="/admin/billing/events">See the Stripe events</a>.
          </p>
        </Notice>
      ) : null}
      <AttentionPanel of={attention} now={now} />
      <Panel title="Accounts" aside={total === 0 ? null : `${total} in total`} flush>
        <Accounts {...props} />
        <Pages {...list} href={address} ways={['Previous', 'Next']} />
      </Panel>
    </Live>
  )
}

function Accounts({ accounts, total, list: { search }, now }: BillingAdminProps) {
  if (total === 0) {
    return (
      <EmptyState title="No accounts yet">
        <p>Accounts appear here when owners sign up.</p>
      </EmptyState>
    )
  }
  if (accounts.length === 0) {
    return (
      <EmptyState
        title={search ? `No account has “${search}” in its address or instances` : 'No accounts on this page'}
      >
        <p>
          <a href={path}>All accounts</a>
        </p>
      </EmptyState>
    )
  }
  return (
    <Table
      caption="Accounts, those that need attention first"
      rows={accounts}
      rowId={account => `row-${account.accountId}`}
      columns={[
        {
          label: 'Account',
          kind: 'lead',
          cell: account => (
            <a href={`/admin/billing/accounts/${account.accountId}`}>{account.email ?? account.accountId}</a>
          ),
        },
        { label: 'State', cell: account => <AccountState {...account} /> },
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
        { label: 'Instances', cell: account => <Instances of={account.subdomains} /> },
      ]}
    />
  )
}

function AccountState({ state, error }: AccountView) {
  const { tone, shape, word } = states[state]
  return (
    <>
      <Badge tone={tone} shape={shape}>
        {word}
      </Badge>
      {error ? <span class="sub">{error}</span> : null}
    </>
  )
}

function Instances({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <NotYet words="none" />
  return of.map((subdomain, index) => (
    <>
      {index > 0 ? ', ' : ''}
      <a href={`/admin/instances/${subdomain}`}>{subdomain}</a>
    </>
  ))
}
