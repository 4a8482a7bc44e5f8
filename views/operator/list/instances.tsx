import { Button, Confirm } from '../../components/button.tsx'
import { Live } from '../../components/live.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Search } from '../../components/search.tsx'
import { Pages, Table } from '../../components/table.tsx'
import { IfPermitted, usePermits } from '../../permits.tsx'
import { NoInstances } from '../no-instances.tsx'
import { bulkChoices } from './bulk-pages.tsx'
import { type InstanceRow, instanceColumns } from './instance-columns.tsx'
import { addressOf, type FilterChoices, InstanceFilter, type ListView } from './instance-filter.tsx'

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
  /** The filter as query parameters, the order, and which part of the results is shown. */
  list: ListView
  /** What the filter can choose from. */
  choices: FilterChoices
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
          {list.filter.search || total > 20 ? (
            <Search
              action={path}
              words={list.filter.search ?? ''}
              label="Search instances by name or owner"
              placeholder="Search instances"
            />
          ) : null}
          <IfPermitted href="/admin/new">
            <a class="button primary" href="/admin/new">
              New instance
            </a>
          </IfPermitted>
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
        {list.filter.outdated ? (
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
        {list.filter.behind ? (
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

/** The operator's instances. The whole page is live, the counts too; what is ticked stays ticked. */
export function InstancesLive(props: InstancesProps) {
  const { instances, total, list, purge } = props
  const purged = purge ? { purged: purge.subdomain } : {}
  return (
    <Live id="instances" src={addressOf(list, { ...purged, offset: list.offset })} everySeconds={2}>
      <Head {...props} />
      {purge ? <Purged {...purge} /> : null}
      <Outdated {...props} />
      <Behind {...props} />
      {total > 0 ? <InstanceFilter list={list} choices={props.choices} /> : null}
      {instances.length === 0 && total > 0 ? (
        <NoneFound list={list} />
      ) : instances.length === 0 ? (
        <NoInstances />
      ) : (
        <Panel flush>
          <Rows {...props} />
          <Pages
            {...list}
            href={offset => addressOf(list, { ...purged, offset })}
            ways={['Previous', 'Next']}
          />
        </Panel>
      )}
    </Live>
  )
}

/** The table, in a form that acts on the ticked ones for those who may act. */
function Rows(props: InstancesProps) {
  const action = `${path}/bulk`
  const mayAct = usePermits()('post', action)
  const columns = instanceColumns(props).filter(({ kind }) => mayAct || kind !== 'pick')
  const table = (
    <Table
      caption="Instances"
      rows={props.instances}
      rowId={row => `instance-${row.subdomain}`}
      columns={columns}
      oneLine
    />
  )
  if (!mayAct) return table
  return (
    <form method="post" action={action} class="bulk">
      {table}
      <BulkBar list={props.list} />
    </form>
  )
}

function NoneFound({ list: { filter, total } }: Pick<InstancesProps, 'list'>) {
  const [only, ...others] = Object.keys(filter)
  const title =
    total > 0
      ? 'No instances on this page'
      : others.length > 0
        ? 'No instance matches the filter'
        : only === 'outdated'
          ? 'No instance runs with older settings'
          : only === 'behind'
            ? 'No instance is behind'
            : only === 'search'
              ? `No instance has “${filter.search}” in its name or owner`
              : 'No instance matches the filter'
  return (
    <EmptyState title={title}>
      <p>
        <a href={path}>All instances</a>
      </p>
    </EmptyState>
  )
}

/** What is done to the instances that are ticked, or to all that the filter finds. */
function BulkBar({ list: { filter, total } }: Pick<InstancesProps, 'list'>) {
  return (
    <div class="panel-body actions bulk-bar">
      <input type="hidden" name="filter" value={String(new URLSearchParams(filter))} />
      <label>
        With the instances:
        <select name="action">
          {bulkChoices.map(({ action, label }) => (
            <option value={action}>{label}</option>
          ))}
        </select>
      </label>
      <Button>Selected…</Button>
      <button type="submit" name="everything" value="true" class="quiet">
        {total === 1 ? 'The one listed…' : `All ${total} listed…`}
      </button>
    </div>
  )
}
