import type { InstanceStatus as InstanceStatusName } from '../../plugins/provisioner/contract.ts'
import { Confirm } from '../components/button.tsx'
import { listAddress } from '../components/list-address.ts'
import { Live } from '../components/live.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Search } from '../components/search.tsx'
import { InstanceStatus } from '../components/status.tsx'
import { Pages, Table } from '../components/table.tsx'
import { NotYet, Time } from '../components/time.tsx'
import { NoInstances } from './no-instances.tsx'

export interface InstanceRow {
  subdomain: string
  ownerEmail: string
  url: string
  status: InstanceStatusName
  /** Whether requests reach it, whatever its status. */
  reachable: boolean
  /** Whether it runs with older settings of the control plane. */
  outdated: boolean
  /** Whether it has another image than new instances get. */
  behind: boolean
  version: string | null
  /** The step in progress, or why it failed: one short line. */
  note: string | null
  createdAt: number
  lastHealthAt: number | null
}

export interface InstancesProps {
  /** One page of the list. */
  instances: readonly InstanceRow[]
  /** The total number, and how many of them are removed and still reserve their names. */
  total: number
  removed: number
  /** How many run with older settings. */
  outdated: number
  /** How many have another image than new instances get. */
  behind: number
  /** The search words, '' for none, and which part of the results is shown. */
  list: { search: string; outdated: boolean; behind: boolean; total: number; offset: number; limit: number }
  /** The instance whose deletion the operator has just asked for, and whether it is done. */
  purge: { subdomain: string; done: boolean } | null
  domain: string
  now: number
}

const path = '/admin/instances'

function Head({ total, removed, domain, list }: InstancesProps) {
  const lead = `${total - removed} at *.${domain}${removed > 0 ? `, ${removed} removed` : ''}`
  return (
    <PageHead
      title="Instances"
      lead={total > 0 ? lead : undefined}
      actions={
        <>
          {list.search || total > 20 ? (
            <Search
              action={path}
              words={list.search}
              label="Search instances by name or owner"
              placeholder="Search instances"
            />
          ) : null}
          <a class="button primary" href="/admin/new">
            New instance
          </a>
        </>
      }
    />
  )
}

function Outdated({ outdated, list }: InstancesProps) {
  if (outdated === 0) return null
  return (
    <Notice
      tone="warn"
      title={
        outdated === 1
          ? '1 instance runs with older settings'
          : `${outdated} instances run with older settings`
      }
    >
      <p>
        The control plane’s settings have changed since these containers were created. Restart them to apply
        the new settings.
      </p>
      <div class="actions">
        <Confirm
          ask="Restart…"
          confirm={outdated === 1 ? 'Restart 1 instance' : `Restart ${outdated} instances`}
          look="plain"
          action={`${path}/restart-outdated`}
        >
          <p>
            Instances restart a few at a time. Each finishes its current runs first, then is down for a few
            seconds.
          </p>
        </Confirm>
        {list.outdated ? (
          <a href={path}>All instances</a>
        ) : (
          <a href={`${path}?outdated=true`}>Show these instances</a>
        )}
      </div>
    </Notice>
  )
}

function Behind({ behind, list }: InstancesProps) {
  if (behind === 0) return null
  return (
    <Notice tone="warn" title={behind === 1 ? '1 instance is behind' : `${behind} instances are behind`}>
      <p>
        A newer runtime image is configured. Upgrade an instance from its page.{' '}
        {list.behind ? (
          <a href={path}>All instances</a>
        ) : (
          <a href={`${path}?behind=true`}>Show these instances</a>
        )}
      </p>
    </Notice>
  )
}

function Purged({ subdomain, done }: NonNullable<InstancesProps['purge']>) {
  if (done) return <Notice tone="ok" title={`${subdomain} and its data have been deleted`} />
  return (
    <Notice tone="busy" title={`${subdomain} and its data are being deleted`}>
      <p>
        <a href={`${path}/${subdomain}`}>See the steps</a>
      </p>
    </Notice>
  )
}

/** The operator's instances. The whole page is live, the counts too. */
export function InstancesLive(props: InstancesProps) {
  const { instances, total, list, purge, now } = props
  const { search, outdated, behind } = list
  const address = (offset: number) =>
    listAddress(path, {
      search,
      offset,
      more: {
        ...(outdated ? { outdated: 'true' } : {}),
        ...(behind ? { behind: 'true' } : {}),
        ...(purge ? { purged: purge.subdomain } : {}),
      },
    })
  return (
    <Live id="instances" src={address(list.offset)} everySeconds={2}>
      <Head {...props} />
      {purge ? <Purged {...purge} /> : null}
      <Outdated {...props} />
      <Behind {...props} />
      {instances.length === 0 && total > 0 ? (
        <EmptyState
          title={
            outdated
              ? 'No instance runs with older settings'
              : behind
                ? 'No instance is behind'
                : list.search
                  ? `No instance has “${list.search}” in its name or owner`
                  : 'No instances on this page'
          }
        >
          <p>
            <a href={path}>All instances</a>
          </p>
        </EmptyState>
      ) : instances.length === 0 ? (
        <NoInstances />
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
                    {row.outdated ? <div class="fine">older settings: restart to apply</div> : null}
                  </>
                ),
              },
              {
                label: 'Version',
                cell: row => (
                  <>
                    {row.version ?? <NotYet />}
                    {row.behind ? <div class="fine">behind: upgrade it</div> : null}
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
                cell: row => (row.reachable ? <a href={row.url}>Open</a> : null),
              },
            ]}
          />
          <Pages {...list} href={address} ways={['Previous', 'Next']} />
        </Panel>
      )}
    </Live>
  )
}
