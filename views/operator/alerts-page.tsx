import { Button, PostButton, PostForm } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Live } from '../components/live.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'

export interface AlertView {
  id: string
  kind: string
  subdomain: string | null
  summary: string
  detail: string
  urgency: 'alert' | 'notice'
  path: string
  openedAt: number
  notifiedAt: number | null
  closedAt: number | null
}

export interface AlertsPageProps {
  now: number
  open: readonly (AlertView & { silent: boolean })[]
  closed: readonly AlertView[]
  silences: readonly { id: string; kind: string | null; subdomain: string | null; until: number }[]
  /** Where alerts go, in words. */
  places: readonly string[]
  /** The latest message that was given up. */
  failed: { channel: string; error: string | null } | null
}

const path = '/admin/alerts'

/** What needs the operator now, and what did. */
export function AlertsPage(props: AlertsPageProps) {
  const { places, failed, silences, closed, now } = props
  return (
    <div class="stack">
      <PageHead
        title="Alerts"
        lead={places.length > 0 ? `Sent to ${places.join(', ')}` : undefined}
        actions={
          places.length > 0 ? <PostButton action={`${path}/test`}>Send a test alert</PostButton> : null
        }
      />
      {places.length === 0 ? (
        <Notice tone="warn" title="Alerts go nowhere">
          <p>
            You see them here only. To receive them, set <code>ALERT_EMAIL</code>,{' '}
            <code>ALERT_WEBHOOK_URL</code>, <code>ALERT_SLACK_URL</code> or <code>ALERT_NTFY_URL</code>, and
            restart the control plane.
          </p>
        </Notice>
      ) : null}
      {failed ? (
        <Notice tone="bad" title={`An alert could not be sent to ${failed.channel}`}>
          <p>{failed.error}</p>
        </Notice>
      ) : null}
      <OpenAlerts {...props} />
      <Silences silences={silences} now={now} />
      {closed.length > 0 ? (
        <Panel title="Over" flush>
          <Table
            caption="Alerts that are over, newest first"
            rows={closed}
            rowId={alert => `closed-${alert.id}`}
            columns={[
              { label: 'What', kind: 'lead', cell: alert => <What {...alert} /> },
              { label: 'Since', cell: alert => <Time at={alert.openedAt} now={now} /> },
              { label: 'Until', cell: alert => <Time at={alert.closedAt ?? now} now={now} /> },
            ]}
          />
        </Panel>
      ) : null}
    </div>
  )
}

/** The open alerts, which are live. */
export function OpenAlerts({ open, now }: Pick<AlertsPageProps, 'open' | 'now'>) {
  return (
    <Live id="alerts" src={path} everySeconds={10}>
      <Panel title="Open" aside={open.length === 0 ? null : String(open.length)} flush>
        {open.length === 0 ? (
          <EmptyState title="Nothing needs you">
            <p>Instances, checks, operations and emails are watched. What goes wrong is listed here.</p>
          </EmptyState>
        ) : (
          <Table
            caption="Open alerts, oldest first"
            rows={open}
            rowId={alert => `alert-${alert.id}`}
            columns={[
              { label: 'What', kind: 'lead', cell: alert => <What {...alert} /> },
              { label: 'Since', cell: alert => <Time at={alert.openedAt} now={now} /> },
              { label: 'Notified', cell: alert => <Notified {...alert} now={now} /> },
              {
                label: 'Actions',
                kind: 'end',
                cell: alert =>
                  alert.silent || alert.urgency === 'notice' ? null : (
                    <PostButton
                      action={`${path}/silences`}
                      fields={{ kind: alert.kind, subdomain: alert.subdomain ?? '', for: '4h' }}
                      look="quiet"
                      about={alert.summary}
                    >
                      Silence for 4 hours
                    </PostButton>
                  ),
              },
            ]}
          />
        )}
      </Panel>
    </Live>
  )
}

function What({ kind, summary, detail, path: page, urgency, closedAt }: AlertView) {
  const over = closedAt !== null
  return (
    <>
      <a href={page}>{summary}</a>{' '}
      <Badge tone={over ? 'ok' : urgency === 'alert' ? 'bad' : 'warn'} shape={over ? 'check' : 'triangle'}>
        {kind}
      </Badge>
      {detail ? <div class="fine">{detail.length > 300 ? `${detail.slice(0, 300)}…` : detail}</div> : null}
    </>
  )
}

function Notified({ urgency, silent, notifiedAt, now }: AlertsPageProps['open'][number] & { now: number }) {
  if (urgency === 'notice') return <>shown here only</>
  if (notifiedAt !== null) return <Time at={notifiedAt} now={now} />
  return <>{silent ? 'silenced' : 'not yet'}</>
}

function Silences({ silences, now }: Pick<AlertsPageProps, 'silences' | 'now'>) {
  return (
    <Panel title="Silences" flush={silences.length > 0}>
      {silences.length > 0 ? (
        <Table
          caption="Silences, the next to end first"
          rows={silences}
          rowId={silence => `silence-${silence.id}`}
          columns={[
            { label: 'Kind', kind: 'lead', cell: ({ kind }) => kind ?? 'everything' },
            { label: 'Instance', cell: ({ subdomain }) => subdomain ?? 'all' },
            { label: 'Until', cell: ({ until }) => <Time at={until} now={now} /> },
            {
              label: 'Actions',
              kind: 'end',
              cell: ({ id }) => (
                <PostButton action={`${path}/silences/${id}/end`} look="quiet">
                  End
                </PostButton>
              ),
            },
          ]}
        />
      ) : null}
      <details class={silences.length > 0 ? 'panel-body' : undefined}>
        <summary>Silence alerts…</summary>
        <PostForm action={`${path}/silences`}>
          <Field
            name="subdomain"
            label="Instance"
            hint="Leave it empty for all, and for what is about none."
            spellcheck={false}
          />
          <Field
            name="kind"
            label="Kind"
            hint="Such as instance-unhealthy. Leave it empty for every kind."
            spellcheck={false}
          />
          <Field name="for" label="For" value="4h" hint="Such as 30m, 4h or 2d." required />
          <div class="actions">
            <Button>Silence</Button>
          </div>
        </PostForm>
      </details>
    </Panel>
  )
}
