import type { Run } from '../../../runtime/jobs/contract.ts'
import { Live } from '../../components/live.tsx'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Pages } from '../../components/table.tsx'
import { type QueuePlace, WaitingTable } from './queued-runs.tsx'
import { RunTable } from './run-table.tsx'

export interface RunsPageProps {
  now: number
  /** The first queued runs, in order. */
  waiting: { runs: readonly (Run & { wait: QueuePlace })[]; total: number }
  list: { runs: readonly Run[]; total: number; limit: number; offset: number }
}

/** Running, queued and finished runs of all jobs. */
export function RunsPage({ now, waiting, list }: RunsPageProps) {
  const { runs, total, limit, offset } = list
  const address = (to: number) => `/runs?offset=${to}`
  const more = waiting.total - waiting.runs.length
  return (
    <Live id="runs" src={address(offset)} everySeconds={3}>
      <div>
        <PageHead title="Runs" lead="Runs of all jobs, newest first." />
        <div class="stack">
          {waiting.total > 0 ? (
            <Panel title="Queued" aside={`${waiting.total} in order of start`} flush>
              <WaitingTable runs={waiting.runs} now={now} />
              {more > 0 ? <p class="panel-body soft">{more} more are queued.</p> : null}
            </Panel>
          ) : null}
          {total === 0 ? (
            <EmptyState title="No runs yet">
              <p>
                Jobs run at their due times, or when you press <i>Run now</i> on <a href="/">Jobs</a>.
              </p>
            </EmptyState>
          ) : (
            <Panel title="Runs" aside={`${total} in total`} flush>
              <RunTable runs={runs} now={now} zone="UTC" ofJobs />
              <Pages total={total} limit={limit} offset={offset} href={address} />
            </Panel>
          )}
        </div>
      </div>
    </Live>
  )
}
