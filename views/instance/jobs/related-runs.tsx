import type { Run } from '../../../runtime/jobs/contract.ts'
import { Panel } from '../../components/panel.tsx'
import { RunStatus } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'

/** The other attempts of this run, the run that it replays, and its replays. Renders nothing if there are none. */
export function RelatedRuns({ run, related, now }: { run: Run; related: readonly Run[]; now: number }) {
  if (related.length < 2) return null
  return (
    <Panel title="Attempts and replays">
      <ol class="related-runs">
        {related.map(each => (
          <li aria-current={each.id === run.id ? 'true' : undefined}>
            <RunStatus status={each.status} {...(each.id === run.id ? {} : { href: `/runs/${each.id}` })} />{' '}
            {roleOf(each, run)}, <Time at={each.startedAt ?? each.queuedAt} now={now} />
            {each.id === run.id ? <b> (this run)</b> : null}
          </li>
        ))}
      </ol>
    </Panel>
  )
}

function roleOf(each: Run, run: Run): string {
  if (each.attempt > 1) return `attempt ${each.attempt}`
  if (each.replayOf !== null) return 'a replay'
  return each.id === run.replayOf ? 'the original run' : 'the first attempt'
}
