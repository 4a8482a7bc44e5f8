import type {
  FleetSummary,
  InstanceStatus as InstanceStatusName,
} from '../../plugins/provisioner/contract.ts'
import { bytesInWords } from '../components/bytes.ts'
import { Live } from '../components/live.tsx'
import { EmptyState, PageHead, Panel } from '../components/panel.tsx'
import { principalWords } from '../components/principal-words.ts'
import { Badge, InstanceStatus } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { IfPermitted } from '../permits.tsx'
import { NoInstances } from './no-instances.tsx'
import { operationTitles } from './operation-titles.ts'

export interface AttentionView {
  kind: string
  subject: string
  summary: string
  detail: string
  urgency: 'alert' | 'notice'
  path: string
}

export interface OverviewPageProps extends Pick<FleetSummary, 'memory' | 'addresses' | 'operations'> {
  now: number
  /** How many instances have each status, those that none has left out. */
  counts: readonly { status: InstanceStatusName; number: number }[]
  /** What needs the operator, alerts first. */
  attention: readonly AttentionView[]
  disk: { freeBytes: number; totalBytes: number }
}

/** The operator's first page: begins with what needs them. The whole page is live. */
export function OverviewPage(props: OverviewPageProps) {
  const { counts } = props
  const total = counts.reduce((sum, { number }) => sum + number, 0)
  return (
    <Live id="overview" src="/admin/overview" everySeconds={10}>
      <PageHead
        title="Overview"
        lead={total === 1 ? '1 instance' : `${total} instances`}
        actions={
          total === 0 ? null : (
            <IfPermitted href="/admin/new">
              <a class="button primary" href="/admin/new">
                New instance
              </a>
            </IfPermitted>
          )
        }
      />
      <Attention {...props} />
      <Panel title="Instances">
        <Counts counts={counts} />
      </Panel>
      <Capacity {...props} />
      <Operations {...props} />
    </Live>
  )
}

function Attention({ attention }: OverviewPageProps) {
  return (
    <Panel title="Needs you" aside={attention.length > 0 ? <a href="/admin/alerts">Alerts</a> : null} flush>
      {attention.length === 0 ? (
        <EmptyState title="Nothing needs you">
          <p>Every instance that should run answers, and every check passes.</p>
        </EmptyState>
      ) : (
        <Table
          caption="What needs you now"
          rows={attention}
          rowId={({ kind, subject }) => `attention-${kind}-${subject}`}
          columns={[
            {
              label: 'What',
              kind: 'lead',
              cell: ({ summary, path }) => <a href={path}>{summary}</a>,
            },
            {
              label: 'Kind',
              cell: ({ kind, urgency }) => (
                <Badge tone={urgency === 'alert' ? 'bad' : 'warn'} shape="triangle">
                  {kind}
                </Badge>
              ),
            },
            {
              label: 'Why',
              cell: ({ detail }) => (detail.length > 200 ? `${detail.slice(0, 200)}…` : detail),
            },
          ]}
        />
      )}
    </Panel>
  )
}

function Counts({ counts }: Pick<OverviewPageProps, 'counts'>) {
  if (counts.length === 0) return <NoInstances />
  return (
    <ul class="counts">
      {counts.map(({ status, number }) => (
        <li>
          <strong>{number}</strong> <InstanceStatus status={status} />
        </li>
      ))}
    </ul>
  )
}

function Capacity({ memory, disk, addresses }: OverviewPageProps) {
  const used = disk.totalBytes - disk.freeBytes
  const { promisedBytes, totalBytes } = memory
  return (
    <Panel
      title="Capacity"
      aside={
        <>
          <a href="/admin/disk">Disk and images</a> · <a href="/admin/orphans">Orphans</a> ·{' '}
          <a href="/admin/backups">Backups of deleted instances</a>
        </>
      }
    >
      <dl class="facts">
        <dt>Memory</dt>
        <dd>
          {totalBytes === null ? (
            `${bytesInWords(promisedBytes)} promised to instances that should run`
          ) : (
            <Share
              part={promisedBytes}
              whole={totalBytes}
              words={`${bytesInWords(promisedBytes)} of ${bytesInWords(totalBytes)} promised to instances that should run`}
            />
          )}
        </dd>
        <dt>Disk</dt>
        <dd>
          <Share
            part={used}
            whole={disk.totalBytes}
            words={`${bytesInWords(disk.freeBytes)} of ${bytesInWords(disk.totalBytes)} free`}
          />
        </dd>
        {addresses === null ? null : (
          <>
            <dt>Addresses</dt>
            <dd>
              <Share
                part={addresses.used}
                whole={addresses.total}
                words={`${addresses.total - addresses.used} of ${addresses.total} free on the network of the instances`}
              />
            </dd>
          </>
        )}
      </dl>
    </Panel>
  )
}

/** A bar, and the same in words. */
function Share({ part, whole, words }: { part: number; whole: number; words: string }) {
  return (
    <>
      <meter
        min={0}
        max={whole}
        high={0.8 * whole}
        optimum={0}
        value={Math.min(part, whole)}
        aria-label={words}
      />{' '}
      {words}
    </>
  )
}

const looks = {
  pending: { tone: 'idle', shape: 'ring', word: 'Waiting' },
  running: { tone: 'busy', shape: 'turning', word: 'Running' },
  succeeded: { tone: 'ok', shape: 'check', word: 'Succeeded' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
  superseded: { tone: 'idle', shape: 'slash', word: 'Superseded' },
} as const

function Operations({ operations, now }: OverviewPageProps) {
  if (operations.length === 0) return null
  return (
    <Panel title="Latest operations" flush>
      <Table
        caption="Operations, newest first"
        rows={operations}
        rowId={({ id }) => `operation-${id}`}
        columns={[
          {
            label: 'Instance',
            kind: 'lead',
            cell: ({ subdomain }) => <a href={`/admin/instances/${subdomain}`}>{subdomain}</a>,
          },
          {
            label: 'Operation',
            cell: ({ kind, actor }) => (
              <>
                {operationTitles[kind]}
                {actor === null ? null : <span class="sub">by {principalWords(actor, 'the owner')}</span>}
              </>
            ),
          },
          {
            label: 'Result',
            cell: ({ status, error }) => (
              <>
                <Badge tone={looks[status].tone} shape={looks[status].shape}>
                  {looks[status].word}
                </Badge>
                {error ? <div class="fine">{error.split('\n')[0]?.slice(0, 160)}</div> : null}
              </>
            ),
          },
          { label: 'When', cell: ({ createdAt }) => <Time at={createdAt} now={now} /> },
        ]}
      />
    </Panel>
  )
}
