import type { LogMatch, Run } from '../../../runtime/jobs/contract.ts'
import { findWords, foundText } from '../../components/log/found-text.tsx'
import { withoutEscapes } from '../../components/log/terminal.ts'
import { RunStatus } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { Duration, NotYet, Time } from '../../components/time.tsx'
import { Commit } from '../manifest-panel.tsx'
import { logLineHref } from './log-panel.tsx'

const triggers = { schedule: 'Schedule', manual: 'Manual', api: 'API' } as const

export function triggerWords(run: Run): string {
  return run.attempt > 1 ? `${triggers[run.trigger]}, attempt ${run.attempt}` : triggers[run.trigger]
}

/** The runs of one job, newest first. */
export function RunTable(props: {
  runs: readonly Run[]
  now: number
  zone: string
  /** Runs of several jobs, so each names its job. */
  ofJobs?: boolean
  /** Lines to show in place of the outcome, by run. */
  matches?: ReadonlyMap<string, LogMatch>
  /** The words that these lines contain. */
  words?: string
}) {
  const { runs, now, zone, matches, words = '', ofJobs = false } = props
  return (
    <Table
      caption="Runs, newest first"
      rows={runs}
      rowId={run => `row-${run.id}`}
      columns={[
        {
          label: 'Run',
          kind: 'lead',
          cell: run => <RunStatus status={run.status} href={`/runs/${run.id}`} />,
        },
        ...(ofJobs
          ? [{ label: 'Job', cell: (run: Run) => <a href={`/jobs/${run.jobId}`}>{run.jobId}</a> }]
          : []),
        {
          label: 'Started',
          cell: run => (
            <>
              <a href={`/runs/${run.id}`}>
                <Time at={run.startedAt ?? run.queuedAt} now={now} />
              </a>
              <span class="sub">
                <Time at={run.startedAt ?? run.queuedAt} now={now} zone={zone} as="short" />
              </span>
            </>
          ),
        },
        { label: 'Took', kind: 'number', cell: run => <Duration ms={run.durationMs} /> },
        { label: 'Trigger', kind: 'minor', cell: run => triggerWords(run) },
        {
          label: 'Commit',
          kind: 'minor',
          cell: run => (run.commit ? <Commit id={run.commit} /> : <NotYet words="none" />),
        },
        {
          label: matches?.size ? 'First match' : 'Result',
          cell: run => {
            const match = matches?.get(run.id)
            if (!match) return <Outcome run={run} />
            const href = match.in === 'log' ? logLineHref(run.id, match.line, words) : `/runs/${run.id}`
            return (
              <a href={href}>
                <code>{foundText(match.text, { found: findWords(match.text, words) })}</code>
              </a>
            )
          },
        },
      ]}
    />
  )
}

/** The beginning of the result or error. */
function Outcome({ run }: { run: Run }) {
  if (run.error) return <span>{shorten(withoutEscapes(run.error.message))}</span>
  if (run.result === null || run.result === undefined) return null
  return <code class="soft">{shorten(JSON.stringify(run.result))}</code>
}

function shorten(text: string, most = 80): string {
  const line = text.split('\n')[0] ?? ''
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}
