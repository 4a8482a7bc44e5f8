import type { DeliveryStatus } from '../../plugins/mail/contract.ts'
import { PostButton } from '../components/button.tsx'
import { Delivery } from '../components/delivery.tsx'
import { listAddress } from '../components/list-address.ts'
import { Live } from '../components/live.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Pages, Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'

export interface MailView {
  id: string
  to: string
  subject: string
  status: DeliveryStatus
  attempts: number
  nextAt: number
  createdAt: number
  error: string | null
}

export interface MailPageProps {
  /** Whether a mail server is set up. */
  on: boolean
  now: number
  list: { messages: readonly MailView[]; total: number; limit: number; offset: number }
}

/** The delivery log. The whole page is live. */
export function MailPage({ on, now, list }: MailPageProps) {
  const { messages, total, limit, offset } = list
  const address = (to: number) => listAddress('/admin/mail', { offset: to })
  return (
    <Live id="mail" src={address(offset)} everySeconds={5}>
      <PageHead title="Mail" lead="Emails to owners, newest first." />
      {on ? null : (
        <Notice tone="warn" title="Mail is off">
          <p>
            No emails are sent to owners. To send them, set <code>SMTP_URL</code> and <code>SMTP_FROM</code>,
            and restart the control plane.
          </p>
        </Notice>
      )}
      <Panel title="Emails" aside={total === 0 ? null : `${total} in total`} flush>
        {messages.length === 0 ? (
          <EmptyState title={offset === 0 ? 'No emails yet' : 'No emails this far back'}>
            <p>
              Owners get an email when their instance is ready, when a trial is ending, and when a payment
              fails.
            </p>
          </EmptyState>
        ) : (
          <Table
            caption="Emails, newest first"
            rows={messages}
            rowId={message => `row-${message.id}`}
            columns={[
              { label: 'Subject', kind: 'lead', cell: message => message.subject },
              { label: 'To', cell: message => message.to },
              { label: 'State', cell: message => <Delivery {...message} now={now} /> },
              { label: 'Attempts', kind: 'number', cell: message => message.attempts },
              { label: 'Created', cell: message => <Time at={message.createdAt} now={now} /> },
              { label: 'Actions', kind: 'end', cell: message => <Again on={on} {...message} /> },
            ]}
          />
        )}
        <Pages total={total} limit={limit} offset={offset} href={address} />
      </Panel>
    </Live>
  )
}

function Again({ id, subject, status, attempts, on }: MailView & { on: boolean }) {
  const may = on && (status === 'failed' || (status === 'queued' && attempts > 0))
  if (!may) return null
  return (
    <PostButton action={`/admin/mail/${id}/retry`} look="quiet" about={`sending “${subject}”`}>
      Retry
    </PostButton>
  )
}
