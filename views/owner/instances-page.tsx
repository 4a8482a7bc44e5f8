import type { InstanceLimit } from '../../plugins/provisioner/contract.ts'
import { PostButton } from '../components/button.tsx'
import { Live } from '../components/live.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { InstanceStatus } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { limitWords } from './instance-limit.tsx'
import { isBusy, type OwnedInstanceView } from './owned-instance.ts'

export interface OwnedInstancesProps {
  instances: readonly OwnedInstanceView[]
  limit: InstanceLimit
  /** Names of the instances that were created for this owner's email address and wait to be claimed. */
  claimable: readonly string[]
  now: number
}

/** An owner's first page. The whole page is live. */
export function OwnedInstancesLive({ instances, limit, claimable, now }: OwnedInstancesProps) {
  const room = instances.filter(each => each.desired !== 'deleted' && each.billed).length < limit.most
  return (
    <Live id="instances" src="/instances" everySeconds={instances.some(isBusy) ? 1 : 5}>
      <PageHead
        title="Your instances"
        lead={
          room ? undefined : (
            <>
              {limitWords(limit)} {limit.larger ? <a href="/new">Get more</a> : null}
            </>
          )
        }
        actions={
          instances.length > 0 && room ? (
            <a class="button primary" href="/new">
              New instance
            </a>
          ) : null
        }
      />
      {claimable.map(subdomain => (
        <Notice tone="idle" title={`${subdomain} was created for you`}>
          <p>
            The operator of this site created this instance for your email address. Add it to your account to
            manage it here.
          </p>
          <PostButton action={`/instances/${subdomain}/claim`} about={`(${subdomain})`}>
            Add to my account
          </PostButton>
        </Notice>
      ))}
      {instances.length === 0 ? (
        <EmptyState
          title="No instance yet"
          action={
            <a class="button primary" href="/new">
              Choose a name
            </a>
          }
        >
          <p>
            Get an isolated, always-on instance for your TypeScript jobs. Pick a name, and it is ready in
            seconds.
          </p>
        </EmptyState>
      ) : (
        <Panel flush>
          <Table
            caption="Your instances"
            rows={instances}
            rowId={row => `instance-${row.subdomain}`}
            columns={[
              {
                label: 'Name',
                kind: 'lead',
                cell: row => <a href={`/instances/${row.subdomain}`}>{row.subdomain}</a>,
              },
              { label: 'Status', cell: row => <Standing {...row} /> },
              { label: 'Created', cell: row => <Time at={row.createdAt} now={now} /> },
              {
                label: 'Open',
                kind: 'end',
                cell: row => (row.reachable ? <a href={`${row.url}/auth/sso`}>Open</a> : null),
              },
            ]}
          />
        </Panel>
      )}
    </Live>
  )
}

/** The status, with the reason when the instance is suspended. */
function Standing({ status, suspension }: OwnedInstanceView) {
  return (
    <>
      <InstanceStatus status={status} />
      {suspension === null ? null : (
        <span class="sub">
          {suspension} <a href="/billing">See your plan</a>
        </span>
      )}
    </>
  )
}
