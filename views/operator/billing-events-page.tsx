import type { EventStatus } from '../../plugins/billing/contract.ts'
import { PostButton } from '../components/button.tsx'
import { listAddress } from '../components/list-address.ts'
import { Live } from '../components/live.tsx'
import type { Shape, Tone } from '../components/mark.tsx'
import { EmptyState, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Pages, Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'

export interface EventView {
  id: string
  type: string
  status: EventStatus
  attempts: number
  receivedAt: number
  error: string | null
}

export interface BillingEventsProps {
  now: number
  list: { events: readonly EventView[]; total: number; limit: number; offset: number }
}

const outcomes: Record<EventStatus, { tone: Tone; shape: Shape; word: string }> = {
  queued: { tone: 'busy', shape: 'clock', word: 'Waiting' },
  working: { tone: 'busy', shape: 'turning', word: 'Processing' },
  done: { tone: 'ok', shape: 'check', word: 'Done' },
  ignored: { tone: 'idle', shape: 'slash', word: 'Ignored' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
}

const address = (offset: number) => listAddress('/admin/billing/events', { offset })

/** The log of Stripe's events. The whole page is live. */
export function BillingEventsPage({ now, list: { events, total, limit, offset } }: BillingEventsProps) {
  return (
    <Live id="billing-events" src={address(offset)} everySeconds={5}>
      <PageHead
        crumb={{ href: '/admin/billing', label: 'Billing' }}
        title="Stripe events"
        lead="Newest first. An event only says which account to check; the account itself is read from Stripe."
      />
      <Panel title="Events" aside={total === 0 ? null : `${total} in total`} flush>
        {events.length === 0 ? (
          <EmptyState title={offset === 0 ? 'No events yet' : 'No events this far back'}>
            <p>
              Stripe sends its events to /webhooks/stripe. Accounts are checked with Stripe every hour anyway.
            </p>
          </EmptyState>
        ) : (
          <Table
            caption="Events, newest first"
            rows={events}
            rowId={event => `row-${event.id}`}
            columns={[
              { label: 'Event', kind: 'lead', cell: event => event.type },
              { label: 'State', cell: event => <Outcome {...event} /> },
              { label: 'Attempts', kind: 'number', cell: event => event.attempts },
              { label: 'Received', cell: event => <Time at={event.receivedAt} now={now} /> },
              { label: 'Actions', kind: 'end', cell: event => <Again {...event} /> },
            ]}
          />
        )}
        <Pages total={total} limit={limit} offset={offset} href={address} />
      </Panel>
    </Live>
  )
}

function Outcome({ status, error }: EventView) {
  const { tone, shape, word } = outcomes[status]
  return (
    <>
      <Badge tone={tone} shape={shape}>
        {word}
      </Badge>
      {error ? <span class="sub">{error}</span> : null}
    </>
  )
}

function Again({ id, type, status, attempts }: EventView) {
  if (status !== 'failed' && !(status === 'queued' && attempts > 0)) return null
  return (
    <PostButton action={`/admin/billing/events/${id}/retry`} look="quiet" about={type}>
      Retry
    </PostButton>
  )
}
