import { Confirm, PostButton } from '../../components/button.tsx'
import { bytesInWords } from '../../components/bytes.ts'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'

const path = '/admin/orphans'

export interface OrphanView {
  id: string
  kind: string
  name: string
  running: boolean
  why: string
  since: number | null
  bytes: number | null
  /** What can be done about it here, and what that does. */
  repair: keyof typeof verbs | null
  effect: string
  advice: string
}

const verbs = {
  remove: 'Remove',
  'set-aside': 'Set aside',
  'put-back': 'Put back',
  forget: 'Remove route',
  start: 'Start',
} as const

/** What does not fit the records, each with what can be done about it. */
export function OrphansPage({
  items,
  unknown,
  checkedAt,
  now,
}: {
  items: readonly OrphanView[]
  unknown: readonly string[]
  checkedAt: number | null
  now: number
}) {
  return (
    <>
      <PageHead
        title="Orphans"
        lead={
          <>
            What the host, the router and the backup store have, compared with the records
            {checkedAt === null ? null : (
              <>
                {' '}
                <Time at={checkedAt} now={now} />
              </>
            )}
          </>
        }
        actions={
          <>
            <a class="button" href="/admin/disk">
              Disk
            </a>
            <PostButton action={`${path}/compare`}>Compare now</PostButton>
          </>
        }
      />
      {unknown.length > 0 ? (
        <Notice tone="warn" title="Not everything could be looked at">
          {unknown.map(words => (
            <p>{words}</p>
          ))}
        </Notice>
      ) : null}
      <Panel flush>
        {items.length === 0 ? (
          <EmptyState
            title={
              checkedAt === null
                ? 'Not compared yet'
                : unknown.length > 0
                  ? 'What could be looked at fits the records'
                  : 'Everything fits the records'
            }
          >
            <p>
              Containers, networks, folders of the data root, routes and backups are compared every 15
              minutes.
            </p>
          </EmptyState>
        ) : (
          <Table
            caption="What does not fit the records"
            rows={items}
            rowId={({ id }) => `orphan-${id}`}
            columns={[
              {
                label: 'Name',
                kind: 'lead',
                cell: ({ kind, name }) =>
                  kind === 'instance' ? <a href={`/admin/instances/${name}`}>{name}</a> : <code>{name}</code>,
              },
              { label: 'Kind', cell: ({ kind, running }) => (running ? `${kind}, running` : kind) },
              {
                label: 'Why',
                cell: ({ why, advice }) => (
                  <>
                    {why}
                    {advice ? <span class="sub">{advice}</span> : null}
                  </>
                ),
              },
              {
                label: 'Size',
                kind: 'number',
                cell: ({ bytes }) => (bytes === null ? <NotYet words="unknown" /> : bytesInWords(bytes)),
              },
              {
                label: 'Since',
                cell: ({ since }) =>
                  since === null ? <NotYet words="unknown" /> : <Time at={since} now={now} />,
              },
              {
                label: 'Repair',
                kind: 'end',
                cell: ({ id, repair, effect, name }) =>
                  repair === null ? null : (
                    <Confirm
                      ask={`${verbs[repair]}…`}
                      confirm={verbs[repair]}
                      look={repair === 'remove' ? 'danger' : 'plain'}
                      about={name}
                      action={`${path}/${id}/repair`}
                    >
                      <p>{effect}</p>
                    </Confirm>
                  ),
              },
            ]}
          />
        )}
      </Panel>
    </>
  )
}
