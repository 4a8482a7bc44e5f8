import { Confirm, PostButton } from '../components/button.tsx'
import { Live } from '../components/live.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { RunStatus } from '../components/status.tsx'
import { TerminalText } from '../components/terminal-text.tsx'
import { Duration, Time } from '../components/time.tsx'
import { Commit } from './manifest-panel.tsx'
import { triggerWords } from './run-table.tsx'
import { isOver, type RunView } from './shapes.ts'

export interface RunPageProps {
  now: number
  run: RunView
  /** The zone of its job. */
  zone: string
  /** False when the job is not registered any more, so that it cannot be run again. */
  registered: boolean
  /** The end of what it wrote; `cut` when there is more before it. */
  log: { text: string; cut: boolean }
}

export function RunPage({ now, run, zone, registered, log }: RunPageProps) {
  const going = !isOver(run)
  return (
    <Live id="run" src={`/runs/${run.id}`} everySeconds={going ? 1 : null}>
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
          {run.error ? <Failure run={run} error={run.error} /> : null}
          <div class="columns">
            <LogPanel run={run} log={log} />
            <Details run={run} now={now} zone={zone} />
          </div>
        </div>
      </div>
    </Live>
  )
}

function RunActions({ run, registered }: { run: RunView; registered: boolean }) {
  if (isOver(run)) {
    return registered ? <PostButton action={`/api/jobs/${run.jobId}/run`}>Run again</PostButton> : null
  }
  return (
    <Confirm ask="Cancel…" confirm="Cancel this run" action={`/api/runs/${run.id}/cancel`}>
      Its process is ended with everything that it started. What it has written so far is kept, and so is the
      schedule.
    </Confirm>
  )
}

const titles: Partial<Record<RunView['status'], string>> = {
  failed: 'It failed',
  timed_out: 'It was stopped',
  cancelled: 'It was cancelled',
  interrupted: 'It was interrupted',
}

function Failure({ run, error }: { run: RunView; error: NonNullable<RunView['error']> }) {
  const tone = run.status === 'cancelled' ? 'idle' : run.status === 'interrupted' ? 'warn' : 'bad'
  const title = titles[run.status] ?? 'It failed'
  const saysMore = error.message.toLowerCase() !== title.toLowerCase()
  if (!saysMore && !error.stack) return null
  return (
    <Notice tone={tone} title={title}>
      {saysMore ? (
        <p>
          <TerminalText text={error.message} />
        </p>
      ) : null}
      {error.stack ? (
        <div class="excerpt">
          <pre class="bare">
            <TerminalText text={error.stack} />
          </pre>
        </div>
      ) : null}
    </Notice>
  )
}

function LogPanel({ run, log }: Pick<RunPageProps, 'run' | 'log'>) {
  const whole = <a href={`/api/runs/${run.id}/log`}>Whole log as text</a>
  return (
    <Panel title="Log" aside={log.text === '' ? null : whole}>
      {log.text === '' ? (
        <p class="soft">{isOver(run) ? 'It wrote nothing.' : 'It has written nothing yet.'}</p>
      ) : (
        <div class="log" tabindex={0} role="log" aria-label="What the run wrote">
          <pre>
            {log.cut ? '… the beginning is left out here …\n' : ''}
            <TerminalText text={log.text} />
          </pre>
        </div>
      )}
    </Panel>
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
            Commit: run.commit ? <Commit id={run.commit} /> : null,
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
