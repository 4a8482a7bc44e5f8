import { PostButton } from '../components/button.tsx'
import { Delivery } from '../components/delivery.tsx'
import { Live } from '../components/live.tsx'
import { EmptyState, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Pages, Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { SettingsNav } from './settings-nav.tsx'

export interface IncidentView {
  id: string
  jobId: string
  kind: 'failing' | 'too-long' | 'overdue' | 'no-next-slot'
  detail: string
  openedAt: number
  closedAt: number | null
}

export interface MessageView {
  id: string
  channel: 'email' | 'webhook'
  content: { subject: string }
  status: 'queued' | 'sending' | 'sent' | 'failed'
  attempts: number
  nextAt: number
  createdAt: number
  finishedAt: number | null
  error: string | null
}

export interface NoticesPageProps {
  now: number
  incidents: readonly IncidentView[]
  list: { messages: readonly MessageView[]; total: number; limit: number; offset: number }
}

const kinds = {
  failing: 'Fails',
  'too-long': 'Takes too long',
  overdue: 'Overdue',
  'no-next-slot': 'No next run',
} as const

export function NoticesPage({ now, incidents, list }: NoticesPageProps) {
  const { limit, offset } = list
  return (
    <Live id="notices" src={`/settings/notices?offset=${offset}`} everySeconds={5}>
      <div>
        <PageHead title="What was told" />
        <SettingsNav current="/settings/notices" />
        <div class="stack">
          <Panel title="Incidents" flush>
            {incidents.length === 0 ? (
              <EmptyState title="Nothing has gone wrong">
                <p>When a job fails, is overdue or takes too long, it stands here until it is well again.</p>
              </EmptyState>
            ) : (
              <IncidentTable incidents={incidents} now={now} />
            )}
          </Panel>
          <Panel title="Deliveries" aside={list.total === 0 ? null : `${list.total} in all`} flush>
            {list.messages.length === 0 ? (
              <EmptyState title={offset === 0 ? 'Nothing was sent yet' : 'Nothing this far back'}>
                <p>
                  <a href="/settings">Who is told, and how</a>
                </p>
              </EmptyState>
            ) : (
              <MessageTable messages={list.messages} now={now} />
            )}
            <Pages
              total={list.total}
              limit={limit}
              offset={offset}
              href={to => `/settings/notices?offset=${to}`}
            />
          </Panel>
        </div>
      </div>
    </Live>
  )
}

function IncidentTable({ incidents, now }: Pick<NoticesPageProps, 'incidents' | 'now'>) {
  return (
    <Table
      caption="Incidents, open ones first"
      rows={incidents}
      rowId={incident => `row-${incident.id}`}
      columns={[
        {
          label: 'Job',
          kind: 'lead',
          cell: incident => (
            <a class="name" href={`/jobs/${incident.jobId}`}>
              {incident.jobId}
            </a>
          ),
        },
        {
          label: 'State',
          cell: incident =>
            incident.closedAt === null ? (
              <Badge tone="bad" shape="cross">
                {kinds[incident.kind]}
              </Badge>
            ) : (
              <Badge tone="ok" shape="check">
                Over
              </Badge>
            ),
        },
        { label: 'What', cell: incident => incident.detail },
        { label: 'Since', cell: incident => <Time at={incident.openedAt} now={now} /> },
        {
          label: 'Until',
          kind: 'minor',
          cell: incident => (incident.closedAt === null ? null : <Time at={incident.closedAt} now={now} />),
        },
      ]}
    />
  )
}

const channels = { email: 'E-mail', webhook: 'Webhook' } as const

function MessageTable({ messages, now }: { messages: readonly MessageView[]; now: number }) {
  return (
    <Table
      caption="Messages, newest first"
      rows={messages}
      rowId={message => `row-${message.id}`}
      columns={[
        { label: 'Message', kind: 'lead', cell: message => message.content.subject },
        { label: 'By', cell: message => channels[message.channel] },
        { label: 'State', cell: message => <Delivery {...message} now={now} /> },
        { label: 'Attempts', kind: 'number', cell: message => message.attempts },
        { label: 'Made', cell: message => <Time at={message.createdAt} now={now} /> },
        {
          label: 'Actions',
          kind: 'end',
          cell: message =>
            message.status === 'failed' || (message.status === 'queued' && message.attempts > 0) ? (
              <PostButton
                action={`/api/notices/${message.id}/retry`}
                look="quiet"
                label={`Send “${message.content.subject}” again`}
              >
                Try now
              </PostButton>
            ) : null,
        },
      ]}
    />
  )
}
