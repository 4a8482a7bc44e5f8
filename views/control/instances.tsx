import { Live } from '../components/live.tsx'
import { EmptyState, PageHead, Panel } from '../components/panel.tsx'
import { InstanceStatus, type InstanceStatusName } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { NotYet, Time } from '../components/time.tsx'

export interface InstanceRow {
  subdomain: string
  ownerEmail: string
  url: string
  status: InstanceStatusName
  /** The step that is going on, or why it failed: one short line. */
  note: string | null
  createdAt: number
  lastHealthAt: number | null
}

export interface InstancesProps {
  instances: readonly InstanceRow[]
  domain: string
  now: number
}

export function InstancesPage(props: InstancesProps) {
  const count = props.instances.filter(each => each.status !== 'deleted').length
  return (
    <>
      <PageHead
        title="Instances"
        lead={props.instances.length > 0 ? `${count} at *.${props.domain}` : undefined}
        actions={
          <a class="button primary" href="/admin/new">
            New instance
          </a>
        }
      />
      <InstanceTable {...props} />
    </>
  )
}

/** The live part: the same on the page and by itself. */
export function InstanceTable({ instances, now }: InstancesProps) {
  return (
    <Live id="instances" src="/admin/instances" everySeconds={2}>
      {instances.length === 0 ? (
        <EmptyState
          title="No instances yet"
          action={
            <a class="button primary" href="/admin/new">
              Provision the first one
            </a>
          }
        >
          <p>Each customer gets an own, isolated box at an own subdomain.</p>
        </EmptyState>
      ) : (
        <Panel flush>
          <Table
            caption="Instances"
            rows={instances}
            rowId={row => `instance-${row.subdomain}`}
            columns={[
              {
                label: 'Subdomain',
                kind: 'lead',
                cell: row => <a href={`/admin/instances/${row.subdomain}`}>{row.subdomain}</a>,
              },
              {
                label: 'Status',
                cell: row => (
                  <>
                    <InstanceStatus status={row.status} />
                    {row.note ? <div class="fine">{row.note}</div> : null}
                  </>
                ),
              },
              { label: 'Owner', cell: row => row.ownerEmail },
              { label: 'Created', cell: row => <Time at={row.createdAt} now={now} /> },
              {
                label: 'Last healthy',
                cell: row =>
                  row.lastHealthAt === null ? <NotYet /> : <Time at={row.lastHealthAt} now={now} />,
              },
              {
                label: 'Open',
                kind: 'end',
                cell: row => (row.status === 'running' ? <a href={row.url}>Open</a> : null),
              },
            ]}
          />
        </Panel>
      )}
    </Live>
  )
}
