import type { LogLine, Run } from '../../../runtime/jobs/contract.ts'
import { LogView } from '../../components/log/log-view.tsx'
import type { SpokenOf } from '../../components/log/source-links.tsx'
import { Panel } from '../../components/panel.tsx'
import { isOver } from '../../components/status.tsx'

/** A part of a run's log. */
export interface LogPartView {
  lines: readonly LogLine[]
  /** The number of the first line, from 1. */
  first: number
  /** The number of lines in the whole stored log. */
  total: number
  /** The requested line; null for the end of the log. */
  line: number | null
  /** True if the beginning of the only line is left out. */
  cut: boolean
  /** A line of the previous part and one of the next; null if there is none. */
  before: number | null
  after: number | null
}

export interface LogPanelProps {
  run: Run
  zone: string
  log: LogPartView
  code: SpokenOf
  /** Words to mark in it; '' for none. */
  find: string
}

/** The address of a line of a run's log, on a page that shows it; with words, that of the first of them in the line. */
export function logLineHref(runId: string, line: number, find = ''): string {
  if (find === '') return `/runs/${runId}?line=${line}#L${line}`
  return `/runs/${runId}?${new URLSearchParams({ line: String(line), find })}#hit`
}

export function LogPanel({ run, zone, log, code, find }: LogPanelProps) {
  const address = `/api/runs/${run.id}/log`
  const asText = (
    <>
      Times in {zone} · <a href={address}>As text</a> · <a href={`${address}?timestamps=true`}>With times</a>
    </>
  )
  return (
    <Panel title="Log" aside={log.lines.length === 0 ? null : asText}>
      {log.lines.length === 0 ? (
        <p class="soft">{isOver(run) ? 'No output.' : 'No output yet.'}</p>
      ) : (
        <>
          <LogView {...log} zone={zone} code={code} find={find} />
          <Parts run={run} log={log} find={find} />
        </>
      )}
    </Panel>
  )
}

function Parts({ run, log, find }: Pick<LogPanelProps, 'run' | 'log' | 'find'>) {
  const { first, total, lines, before, after } = log
  if (before === null && after === null) return null
  const last = first + lines.length - 1
  const way = (label: string, line: number | null) =>
    line === null ? null : (
      <a class="button" href={logLineHref(run.id, line, find)}>
        {label}
      </a>
    )
  return (
    <nav class="actions log-parts" aria-label="Parts of the log">
      {before === null ? null : way('First', 1)}
      {way('Earlier', before)}
      {way('Later', after)}
      {after === null ? null : (
        <a class="button" href={`/runs/${run.id}`}>
          Last
        </a>
      )}
      <span class="fine">
        {lines.length === 1 ? `Line ${first}` : `Lines ${first}–${last}`} of {total}
      </span>
    </nav>
  )
}
