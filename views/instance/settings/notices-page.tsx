import type { Channel, Incident, Message } from '../../../runtime/notices/contract.ts'
import { PostButton } from '../../components/button.tsx'
import { Delivery } from '../../components/delivery.tsx'
import { Live } from '../../components/live.tsx'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { Pages, Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { SettingsNav } from './settings-nav.tsx'

export interface NoticesPageProps {
  now: number
  incidents: readonly Incident[]
  list: { messages: readonly Message[]; total: number; limit: number; offset: number }
}

const kinds = {
  failing: 'Failing',
  'too-long': 'Takes too long',
  overdue: 'Overdue',
  'no-next-slot': 'No next run',
  manifest: 'Does not load',
  packages: 'Not installed',
  sync: 'Sync fails',
  conflict: 'Conflict',
  held: 'Held back',
  scheduler: 'Scheduler fails',
} as const satisfies Record<Incident['kind'], string>

export function NoticesPage({ now, incidents, list }: NoticesPageProps) {
  const { limit, offset } = list
  return (
    <Live id="notices" src={`/settings/notices?offset=${offset}`} everySeconds={5}>
      <div>
        <PageHead title="Incidents" />
        <SettingsNav current="/settings/notices" />
        <div class="stack">
          <Panel title="Open and recovered" flush>
            {incidents.length === 0 ? (
              <EmptyState title="Nothing has gone wrong">
                <p>When a job, its code or the sync fails, the incident is listed here.</p>
              </EmptyState>
            ) : (
              <IncidentTable incidents={incidents} now={now} />
            )}
          </Panel>
          <Panel title="Deliveries" aside={list.total === 0 ? null : `${list.total} in total`} flush>
            {list.messages.length === 0 ? (
              <EmptyState title={offset === 0 ? 'Nothing has been sent yet' : 'No messages this far back'}>
                <p>
                  <a href="/settings">Choose who is notified, and how</a>
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
          cell: incident =>
            incident.jobId === '' ? (
              <a class="name" href={pages[incident.kind] ?? '/'}>
                {incident.kind === 'scheduler' ? 'Scheduler' : 'Jobs repo'}
              </a>
            ) : (
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
                Recovered
              </Badge>
            ),
        },
        { label: 'What', cell: incident => <span class="lines">{incident.detail}</span> },
        { label: 'Since', cell: incident => <Time at={incident.openedAt} now={now} /> },
        {
          label: 'Until',
          kind: 'minor',
          cell: incident => (incident.closedAt === null ? null : <Time at={incident.closedAt} now={now} />),
        },
        { label: 'Actions', kind: 'end', cell: incident => <Mute incident={incident} now={now} /> },
      ]}
    />
  )
}

/** Where problems of the instance are shown, if not on the jobs page. */
const pages: Partial<Record<keyof typeof kinds, string>> = {
  sync: '/repo/remote',
  conflict: '/repo/remote',
  held: '/repo/remote',
}

function Mute({ incident, now }: { incident: Incident; now: number }) {
  const { id, kind, jobId, closedAt, mutedAt } = incident
  if (closedAt !== null) return null
  const what = `${kinds[kind]}${jobId === '' ? '' : `: ${jobId}`}`
  return mutedAt === null ? (
    <PostButton action={`/api/notices/incidents/${id}/mute`} look="quiet" about={`“${what}”`}>
      Mute
    </PostButton>
  ) : (
    <>
      <span class="sub">
        muted <Time at={mutedAt} now={now} />
      </span>
      <PostButton action={`/api/notices/incidents/${id}/unmute`} look="quiet" about={`“${what}”`}>
        Unmute
      </PostButton>
    </>
  )
}

const channels = {
  email: 'Email',
  webhook: 'Webhook',
  slack: 'Slack',
  discord: 'Discord',
} as const satisfies Record<Channel, string>

function MessageTable({ messages, now }: { messages: readonly Message[]; now: number }) {
  return (
    <Table
      caption="Messages, newest first"
      rows={messages}
      rowId={message => `row-${message.id}`}
      columns={[
        { label: 'Message', kind: 'lead', cell: message => message.content.subject },
        { label: 'Channel', cell: message => channels[message.channel] },
        { label: 'State', cell: message => <Delivery {...message} now={now} /> },
        { label: 'Attempts', kind: 'number', cell: message => message.attempts },
        { label: 'Created', cell: message => <Time at={message.createdAt} now={now} /> },
        {
          label: 'Actions',
          kind: 'end',
          cell: message =>
            message.status === 'failed' || (message.status === 'queued' && message.attempts > 0) ? (
              <PostButton
                action={`/api/notices/${message.id}/retry`}
                look="quiet"
                about={`sending “${message.content.subject}”`}
              >
                Retry
              </PostButton>
            ) : null,
        },
      ]}
    />
  )
}
