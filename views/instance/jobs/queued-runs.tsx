import type { Run } from '../../../runtime/jobs/contract.ts'
import { PostButton } from '../../components/button.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { triggerWords } from './run-table.tsx'

/** A run's place in the queue. */
export interface QueuePlace {
  /** Starts at 1. */
  position: number
  reason: string
}

/** The queued runs, in the order in which they will start. */
export function WaitingTable({ runs, now }: { runs: readonly (Run & { wait: QueuePlace })[]; now: number }) {
  return (
    <Table
      caption="Queued runs, in the order in which they will start"
      rows={runs}
      rowId={run => `waiting-${run.id}`}
      columns={[
        { label: 'Position', kind: 'number', cell: run => run.wait.position },
        { label: 'Run', kind: 'lead', cell: run => <a href={`/runs/${run.id}`}>{run.jobId}</a> },
        { label: 'Queued', cell: run => <Time at={run.queuedAt} now={now} /> },
        { label: 'Trigger', kind: 'minor', cell: run => triggerWords(run) },
        { label: 'Waiting because', cell: run => run.wait.reason },
        {
          label: 'Cancel',
          kind: 'end',
          cell: run => (
            <PostButton
              action={`/api/runs/${run.id}/cancel`}
              fields={{ next: '/runs' }}
              look="quiet"
              about={`the run of ${run.jobId}`}
            >
              Cancel
            </PostButton>
          ),
        },
      ]}
    />
  )
}
