import type { DiskUse, InstanceStatus as InstanceStatusName } from '../../../plugins/provisioner/contract.ts'
import { bytesInWords } from '../../components/bytes.ts'
import { InstanceStatus } from '../../components/status.tsx'
import type { Column } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'
import { addressOf, type ListView } from './instance-filter.tsx'

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
  plan: string | null
  /** Nothing pays for it, though something should. */
  unpaid: boolean
  disk: DiskUse | null
  /** When its newest copy was made, and whether it should have a newer or a proven one. */
  copiedAt: number | null
  copyOverdue: boolean
  createdAt: number
  lastHealthAt: number | null
}

/** The columns of the list of instances. The heading of each sorts by it; the one that sorts already reverses the order. */
export function instanceColumns({ list, now }: { list: ListView; now: number }): Column<InstanceRow>[] {
  const by = (column: string, descendingFirst = false) => {
    const direction =
      list.sort === column
        ? ('ascending' as const)
        : list.sort === `-${column}`
          ? ('descending' as const)
          : null
    const descending = direction === null ? descendingFirst : direction === 'ascending'
    const sort = descending ? `-${column}` : column
    return { href: addressOf({ filter: list.filter, sort }), direction }
  }
  return [
    {
      label: 'Select',
      kind: 'pick',
      cell: row => (
        <input
          type="checkbox"
          name="instances"
          value={row.subdomain}
          aria-label={`Select ${row.subdomain}`}
        />
      ),
    },
    {
      label: 'Subdomain',
      kind: 'lead',
      sort: by('subdomain'),
      cell: row => <a href={`/admin/instances/${row.subdomain}`}>{row.subdomain}</a>,
    },
    {
      label: 'Status',
      kind: 'brief',
      sort: by('status'),
      cell: row => (
        <>
          <InstanceStatus status={row.status} />
          {row.note ? (
            <div class="fine" title={row.note}>
              {row.note}
            </div>
          ) : null}
          {row.outdated ? <div class="fine">older settings: restart to apply</div> : null}
        </>
      ),
    },
    {
      label: 'Version',
      sort: by('version'),
      cell: row => (
        <>
          {row.version ?? <NotYet />}
          {row.behind ? <div class="fine">behind: upgrade it</div> : null}
        </>
      ),
    },
    {
      label: 'Owner',
      sort: by('owner'),
      cell: row => (
        <div class="cut" title={row.ownerEmail}>
          {row.ownerEmail}
        </div>
      ),
    },
    {
      label: 'Plan',
      sort: by('plan'),
      cell: row => (
        <>
          {row.plan ?? <NotYet words="none" />}
          {row.unpaid ? <div class="fine">unpaid</div> : null}
        </>
      ),
    },
    {
      label: 'Disk',
      kind: 'number',
      sort: by('disk', true),
      cell: ({ disk }) => (disk?.usedBytes == null ? <NotYet /> : bytesInWords(disk.usedBytes)),
    },
    {
      label: 'Backup',
      sort: by('backup'),
      cell: row => (
        <>
          {row.copiedAt === null ? <NotYet /> : <Time at={row.copiedAt} now={now} />}
          {row.copyOverdue ? <div class="fine">overdue</div> : null}
        </>
      ),
    },
    { label: 'Created', sort: by('created', true), cell: row => <Time at={row.createdAt} now={now} /> },
    {
      label: 'Last healthy',
      sort: by('health', true),
      cell: row => (row.lastHealthAt === null ? <NotYet /> : <Time at={row.lastHealthAt} now={now} />),
    },
    {
      label: 'Open',
      kind: 'end',
      cell: row => (row.reachable ? <a href={row.url}>Open</a> : null),
    },
  ]
}
