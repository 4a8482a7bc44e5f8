import type { RunBrief } from '../../../runtime/jobs/contract.ts'
import { runTone, runWord } from '../status.tsx'
import { durationWords } from '../time-words.ts'

export interface RunStripProps {
  /** Newest first, as in histories; drawn oldest first. */
  runs: readonly RunBrief[]
  /** Places in the strip; empty ones are drawn as dots. */
  places?: number
  height?: number
  /** Makes each bar a link to its run. */
  href?: (run: RunBrief) => string
}

const step = 7
const barWidth = 5

/**
 * The last runs as bars, as tall as they were long (by square root, so that one slow run does not flatten the rest).
 * A failure has a dot below its bar, and an interrupted run is hollow: neither needs its colour to be seen.
 */
export function RunStrip({ runs, places = 20, height = 26, href }: RunStripProps) {
  const shown = runs.slice(0, places).toReversed()
  const longest = Math.max(1, ...shown.map(run => run.durationMs ?? 0))
  const room = height - 7
  const free = places - shown.length
  return (
    <svg
      class="chart"
      width={places * step - 2}
      height={height}
      viewBox={`0 0 ${places * step - 2} ${height}`}
      role="img"
      aria-label={stripWords(shown)}
    >
      {Array.from({ length: free }, (_, place) => (
        <rect class="none" x={place * step + 1.5} y={room - 2} width="2" height="2" rx="1" />
      ))}
      {shown.map((run, index) => {
        const bar = <Bar run={run} x={(free + index) * step} room={room} longest={longest} />
        return href ? (
          <a href={href(run)} tabindex={-1}>
            {bar}
          </a>
        ) : (
          bar
        )
      })}
    </svg>
  )
}

function Bar({ run, x, room, longest }: { run: RunBrief; x: number; room: number; longest: number }) {
  const tall = Math.max(3, room * Math.sqrt((run.durationMs ?? longest / 4) / longest))
  const tone = runTone(run.status)
  const cut = run.status === 'cancelled' || run.status === 'interrupted' || run.status === 'queued'
  return (
    <g>
      <title>{`${runWord(run.status)}${run.durationMs === null ? '' : `, ${durationWords(run.durationMs)}`}`}</title>
      {cut ? (
        <rect class="hollow" x={x + 0.5} y={room - tall + 0.5} width="4" height={tall - 1} rx="1" />
      ) : (
        <rect class={tone} x={x} y={room - tall} width={barWidth} height={tall} rx="1" />
      )}
      {tone === 'bad' ? <circle class="bad" cx={x + 2.5} cy={room + 4} r="2" /> : null}
    </g>
  )
}

function stripWords(runs: readonly RunBrief[]): string {
  if (runs.length === 0) return 'No runs yet'
  const counts = new Map<string, number>()
  for (const run of runs) {
    const word = runWord(run.status).toLowerCase()
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const which = runs.length === 1 ? 'Last run' : `Last ${runs.length} runs`
  return `${which}: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ')}`
}
