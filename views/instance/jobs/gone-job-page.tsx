import { Live } from '../../components/live.tsx'
import { PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { Pages } from '../../components/table.tsx'
import { ManifestProblems } from '../manifest-panel.tsx'
import { type JobPageProps, SlotPanel, TrendPanel } from './job-page.tsx'
import { RunTable } from './run-table.tsx'

export type GoneJobPageProps = Pick<JobPageProps, 'now' | 'manifest' | 'recent' | 'list' | 'slots'> & {
  id: string
}

/** The history of a job that is no longer in the manifest. */
export function GoneJobPage({ id, now, manifest, recent, list, slots }: GoneJobPageProps) {
  const { runs, total, limit, offset } = list
  const address = (to: number) => `/jobs/${id}?offset=${to}`
  return (
    <Live id="job" src={address(offset)} everySeconds={10}>
      <div>
        <PageHead
          crumb={{ href: '/', label: 'Jobs' }}
          title={id}
          status={
            <Badge tone="idle" shape="slash">
              No longer registered
            </Badge>
          }
          lead="The manifest no longer registers this job, so it does not run. Its history is kept for a while, and continues if you register it again."
        />
        <div class="stack">
          <ManifestProblems manifest={manifest} now={now} />
          <div class="columns">
            <Panel title="Runs" aside={`${total} in total`} flush>
              <RunTable runs={runs} now={now} zone="UTC" />
              <Pages total={total} limit={limit} offset={offset} href={address} />
            </Panel>
            <div class="stack">
              <TrendPanel recent={recent} />
              <SlotPanel slots={slots} zone="UTC" now={now} />
            </div>
          </div>
        </div>
      </div>
    </Live>
  )
}
