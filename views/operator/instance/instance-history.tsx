import { Panel } from '../../components/panel.tsx'
import { InstanceStatus } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { Duration, NotYet, Time } from '../../components/time.tsx'
import type { HealthView, OperationView } from './instance-view.ts'

/** How the status of an instance changed, with the reasons. */
export function Health({ health, now }: { health: HealthView; now: number }) {
  const { availability, spans } = health
  if (spans.length === 0) return null
  return (
    <Panel
      title="Health"
      flush
      aside={
        availability.month === null ? null : (
          <>
            available {percentInWords(availability.day)} in 24 h, {percentInWords(availability.month)} in 30
            days
          </>
        )
      }
    >
      <Table
        caption="How its status changed"
        rows={spans}
        rowId={span => `status-${span.from}`}
        columns={[
          { label: 'Status', kind: 'lead', cell: ({ status }) => <InstanceStatus status={status} /> },
          { label: 'Since', cell: ({ from }) => <Time at={from} now={now} /> },
          {
            label: 'For',
            kind: 'number',
            cell: ({ from, to }) => <Duration ms={Math.max(0, (to ?? now) - from)} />,
          },
          { label: 'Reason', cell: ({ reason }) => (reason === null ? null : shortened(reason)) },
        ]}
      />
    </Panel>
  )
}

const outcome = {
  pending: 'waiting',
  running: 'in progress',
  succeeded: 'done',
  failed: 'failed',
  superseded: 'superseded by a newer one',
} as const satisfies Record<OperationView['status'], string>

/** An operation in words: `Upgrade: failed`. */
export function operationTitle({ title, status }: OperationView): string {
  return `${title}: ${outcome[status]}`
}

/** The operations before the latest one, with who asked for them and why they failed. */
export function Earlier({ operations, now }: { operations: readonly OperationView[]; now: number }) {
  if (operations.length === 0) return null
  return (
    <Panel title="History" flush>
      <Table
        caption="Earlier operations"
        rows={operations}
        rowId={({ id }) => id}
        columns={[
          { label: 'Operation', kind: 'lead', cell: operationTitle },
          { label: 'By', cell: ({ actor }) => actor ?? <NotYet words="not recorded" /> },
          { label: 'When', cell: ({ createdAt }) => <Time at={createdAt} now={now} /> },
          { label: 'Took', kind: 'number', cell: ({ durationMs }) => <Duration ms={durationMs} /> },
          {
            label: 'Error',
            cell: ({ error, status }) => (error === null || status !== 'failed' ? null : shortened(error)),
          },
        ]}
      />
    </Panel>
  )
}

/** Rounded down, so that 100 % means always. */
export function percentInWords(part: number | null): string {
  return part === null ? '–' : `${Math.floor(part * 10_000) / 100} %`
}

function shortened(text: string) {
  const [first = ''] = text.split('\n')
  return (
    <span class="long" title={text.slice(0, 2000)}>
      {first.slice(0, 160)}
    </span>
  )
}
