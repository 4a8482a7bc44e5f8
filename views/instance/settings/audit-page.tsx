import type { AuditEntry } from '../../../runtime/audit/contract.ts'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { Pages, Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { SettingsNav } from './settings-nav.tsx'

export interface AuditPageProps {
  now: number
  list: { entries: readonly AuditEntry[]; total: number; limit: number; offset: number }
}

export function AuditPage({ now, list }: AuditPageProps) {
  const { entries, total, limit, offset } = list
  return (
    <>
      <PageHead
        title="Audit log"
        lead="Who changed what, when and from where. Entries are kept for a year."
      />
      <SettingsNav current="/settings/audit" />
      <Panel flush>
        {entries.length === 0 ? (
          <EmptyState title="No entries this far back" />
        ) : (
          <Table
            caption="Changes, newest first"
            rows={entries}
            rowId={entry => `row-${entry.seq}`}
            columns={[
              { label: 'What', kind: 'lead', cell: entry => <What entry={entry} /> },
              { label: 'On', cell: entry => (entry.target ? <code>{entry.target}</code> : null) },
              { label: 'Who', cell: entry => <Who entry={entry} /> },
              { label: 'From', cell: entry => entry.address },
              { label: 'When', cell: entry => <Time at={entry.at} now={now} /> },
            ]}
          />
        )}
        <Pages total={total} limit={limit} offset={offset} href={to => `/settings/audit?offset=${to}`} />
      </Panel>
    </>
  )
}

function What({ entry }: { entry: AuditEntry }) {
  return (
    <>
      {/** The rest of a summary is for readers of the API's description. */}
      {entry.summary.split(';')[0]}{' '}
      {entry.status >= 400 ? (
        <Badge tone="warn" shape="triangle">
          Refused
        </Badge>
      ) : null}
      <span class="sub">
        <code>{entry.action}</code>
      </span>
    </>
  )
}

function Who({ entry }: { entry: AuditEntry }) {
  if (entry.actorKind === 'session') return 'Signed in with the password'
  if (entry.actorKind === 'token') return `Token “${entry.actorName}”`
  return 'Not signed in'
}
