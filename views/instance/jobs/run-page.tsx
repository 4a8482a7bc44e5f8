import type { Run } from '../../../runtime/jobs/contract.ts'
import { Confirm, PostButton } from '../../components/button.tsx'
import { Live } from '../../components/live.tsx'
import type { SpokenOf } from '../../components/log/source-links.tsx'
import { StackText } from '../../components/log/stack-text.tsx'
import { TerminalText } from '../../components/log/terminal-text.tsx'
import { Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { isOver, RunStatus } from '../../components/status.tsx'
import { Duration, Time } from '../../components/time.tsx'
import { Commit } from '../manifest-panel.tsx'
import { LogPanel, type LogPartView, logLineHref } from './log-panel.tsx'
import type { QueuePlace } from './queued-runs.tsx'
import { RelatedRuns } from './related-runs.tsx'
import { triggerWords } from './run-table.tsx'

export interface RunPageProps {
  now: number
  run: Run
  /** The job's zone. */
  zone: string
  /** False if the job is no longer registered, so it cannot run again. */
  registered: boolean
  /** Null for a run that is not queued. */
  wait: QueuePlace | null
  /** Its attempts and replays, itself included, newest first. */
  related: readonly Run[]
  /** A part of its log. */
  log: LogPartView
  /** Words to mark in the log; '' for none. */
  find: string
  /** The folder of the jobs repo, as the run sees it. */
  repoFolder: string
}

export function RunPage(props: RunPageProps) {
  const { now, run, zone, registered, wait, related, log, find, repoFolder } = props
  const going = !isOver(run)
  const code = { commit: run.commit, folder: repoFolder }
  return (
    <Live
      id="run"
      src={log.line === null ? `/runs/${run.id}` : logLineHref(run.id, log.line, find).replace(/#.*/, '')}
      everySeconds={going ? 1 : null}
    >
      <div>
        <PageHead
          crumb={{ href: `/jobs/${run.jobId}`, label: run.jobId }}
          title={<>Run of {run.jobId}</>}
          status={<RunStatus status={run.status} />}
          lead={
            <Time at={run.startedAt ?? run.queuedAt} now={now} zone={zone} as={going ? 'relative' : 'full'} />
          }
          actions={<RunActions run={run} registered={registered} />}
        />
        <div class="stack">
          {run.error ? <Failure run={run} error={run.error} code={code} /> : null}
          {wait ? <Waits wait={wait} /> : null}
          <div class="columns">
            <LogPanel run={run} zone={zone} log={log} code={code} find={find} />
            <div class="stack">
              <Details run={run} now={now} zone={zone} />
              <RelatedRuns run={run} related={related} now={now} />
            </div>
          </div>
        </div>
      </div>
    </Live>
  )
}

function RunActions({ run, registered }: { run: Run; registered: boolean }) {
  if (isOver(run)) {
    return registered ? (
      <PostButton action={`/api/runs/${run.id}/replay`} about="with the same parameters and the latest code">
        Replay
      </PostButton>
    ) : null
  }
  return (
    <Confirm ask="Cancel…" confirm="Cancel this run" action={`/api/runs/${run.id}/cancel`}>
      This ends the run’s process and everything it started. The log so far is kept, and the schedule does not
      change.
    </Confirm>
  )
}

function Waits({ wait }: { wait: QueuePlace }) {
  return (
    <Notice tone="busy" title={`Queued, position ${wait.position}`}>
      <p>
        The run has not started because {wait.reason}. <a href="/runs">See the queue</a>
      </p>
    </Notice>
  )
}

const titles: Partial<Record<Run['status'], string>> = {
  failed: 'The run failed',
  timed_out: 'The run timed out',
  cancelled: 'The run was cancelled',
  interrupted: 'The run was interrupted',
}

function Failure(props: { run: Run; error: NonNullable<Run['error']>; code: SpokenOf }) {
  const { run, error, code } = props
  const tone = run.status === 'cancelled' ? 'idle' : run.status === 'interrupted' ? 'warn' : 'bad'
  const title = titles[run.status] ?? 'The run failed'
  const saysMore = error.message.toLowerCase() !== title.toLowerCase()
  if (!saysMore && !error.stack) return null
  return (
    <Notice tone={tone} title={title}>
      {saysMore ? (
        <p>
          <TerminalText text={error.message} code={code} />
        </p>
      ) : null}
      {error.stack ? (
        <div class="excerpt">
          <pre class="bare">
            <StackText stack={error.stack} code={code} />
          </pre>
        </div>
      ) : null}
    </Notice>
  )
}

function Details({ run, now, zone }: Pick<RunPageProps, 'run' | 'now' | 'zone'>) {
  const running = run.status === 'running' && run.startedAt !== null
  return (
    <div class="stack">
      <Panel title="Details">
        <Facts
          of={{
            Trigger: triggerWords(run),
            Due: run.slot === null ? null : <Time at={run.slot} now={now} zone={zone} as="full" />,
            'Not before':
              run.status === 'queued' && run.notBefore !== null ? (
                <Time at={run.notBefore} now={now} zone={zone} as="full" />
              ) : null,
            Started:
              run.startedAt === null ? null : <Time at={run.startedAt} now={now} zone={zone} as="full" />,
            Finished:
              run.finishedAt === null ? null : <Time at={run.finishedAt} now={now} zone={zone} as="full" />,
            Took: running ? (
              <>
                <Duration ms={Math.max(0, now - (run.startedAt ?? now))} /> so far
              </>
            ) : (
              <Duration ms={run.durationMs} />
            ),
            Code: run.commit ? (
              <a href={`/repo/history/${run.commit}`}>
                <Commit id={run.commit} />
              </a>
            ) : null,
            'Replay of': run.replayOf ? (
              <a href={`/runs/${run.replayOf}`}>
                <code>{run.replayOf}</code>
              </a>
            ) : null,
            Id: <code>{run.id}</code>,
          }}
        />
      </Panel>
      {Object.keys(run.params).length > 0 ? (
        <Panel title="Parameters">
          <pre class="code">{JSON.stringify(run.params, null, 2)}</pre>
        </Panel>
      ) : null}
      {run.status === 'succeeded' && run.result !== null && run.result !== undefined ? (
        <Panel title="Result">
          <pre class="code">{JSON.stringify(run.result, null, 2)}</pre>
        </Panel>
      ) : null}
    </div>
  )
}
