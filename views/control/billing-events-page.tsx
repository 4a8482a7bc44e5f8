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
  status: 'queued' | 'working' | 'done' | 'ignored' | 'failed'
  attempts: number
  receivedAt: number
  error: string | null
}

export interface BillingEventsProps {
  now: number
  list: { events: readonly EventView[]; total: number; limit: number; offset: number }
}

const outcomes: Record<EventView['status'], { tone: Tone; shape: Shape; word: string }> = {
  queued: { tone: 'busy', shape: 'clock', word: 'Waiting' },
  working: { tone: 'busy', shape: 'turning', word: 'At work' },
  done: { tone: 'ok', shape: 'check', word: 'Done' },
  ignored: { tone: 'idle', shape: 'slash', word: 'Of no matter' },
  failed: { tone: 'bad', shape: 'cross', word: 'Given up' },
}

const address = (offset: number) => listAddress('/admin/billing/events', { offset })

/** The log of Stripe's events: the live part is the whole page. */
export function BillingEventsPage({ now, list: { events, total, limit, offset } }: BillingEventsProps) {
  return (
    <Live id="billing-events" src={address(offset)} everySeconds={5}>
      <PageHead
        crumb={{ href: '/admin/billing', label: 'Billing' }}
        title="What Stripe told"
        lead="Newest first. An event says whom to ask about; what is true is read from Stripe."
      />
      <Panel title="Events" aside={total === 0 ? null : `${total} in all`} flush>
        {events.length === 0 ? (
          <EmptyState title={offset === 0 ? 'Nothing yet' : 'Nothing this far back'}>
            <p>Stripe sends its events to /webhooks/stripe. Every hour it is asked anyway.</p>
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
              { label: 'Came', cell: event => <Time at={event.receivedAt} now={now} /> },
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
