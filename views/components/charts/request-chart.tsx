import { shortDateTime, zoneName } from '../time-words.ts'
import { percent, round, timeMarks } from './time-axis.ts'

/** Requests within one stretch of time, by how they ended. */
export interface RequestBar {
  at: number
  /** Answered with a status below 400. */
  well: number
  /** Answered with 4xx, or refused for a limit. */
  refused: number
  /** Answered with 5xx, or broken off. */
  failed: number
}

export interface RequestChartProps {
  /** The period in words: `the last 24 hours`. */
  period: string
  from: number
  to: number
  stretchMs: number
  /** The oldest first; a stretch without requests may be left out. */
  bars: readonly RequestBar[]
}

const height = 120
const inner = 1000

/**
 * Requests over time, one bar for each stretch. What failed stands at the foot of its bar, and hangs below the line as a mark, so that
 * it is seen without its colour and where it is one of many. Below the chart, the same in words.
 */
export function RequestChart(props: RequestChartProps) {
  const { from, to, stretchMs, bars } = props
  const most = Math.max(1, ...bars.map(all))
  const step = roundStep(most / 2)
  const top = Math.max(most, step * 2) * 1.06
  const x = (at: number) => round(((at - from) / (to - from)) * inner)
  const tall = (count: number) => round((count / top) * height)
  const width = Math.max(0.5, round((stretchMs / (to - from)) * inner * 0.8))
  const summary = inWords(props)
  return (
    <figure class="usage">
      <svg class="chart" width="100%" height={height + 24} role="img" aria-label={summary}>
        {[0, step, step * 2].map(mark => (
          <line class="rail" x1="0" x2="100%" y1={height - tall(mark) + 4} y2={height - tall(mark) + 4} />
        ))}
        <svg
          y="4"
          width="100%"
          height={height + 6}
          viewBox={`0 0 ${inner} ${height + 6}`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          {bars.map(bar => {
            const failed = tall(bar.failed)
            const refused = tall(bar.refused)
            const well = tall(bar.well)
            return (
              <>
                <Piece tone="bad" x={x(bar.at)} width={width} y={height - failed} height={failed} />
                <Piece
                  tone="warn"
                  x={x(bar.at)}
                  width={width}
                  y={height - failed - refused}
                  height={refused}
                />
                <Piece
                  tone="busy"
                  x={x(bar.at)}
                  width={width}
                  y={height - failed - refused - well}
                  height={well}
                />
                <Piece
                  tone="bad"
                  x={x(bar.at)}
                  width={width}
                  y={height + 2}
                  height={bar.failed > 0 ? 4 : 0}
                />
              </>
            )
          })}
        </svg>
        {[step, step * 2].map(mark => (
          <text x="0" y={height - tall(mark) + 15}>
            {mark.toLocaleString('en-US')}
          </text>
        ))}
        {timeMarks(from, to).map(({ at, minor, text }) => (
          <text
            class={minor ? 'minor' : undefined}
            x={percent(at, from, to)}
            y={height + 20}
            text-anchor="middle"
          >
            {text}
          </text>
        ))}
      </svg>
      <figcaption>
        <strong>Requests</strong> {summary.slice('Requests '.length)}
      </figcaption>
    </figure>
  )
}

function Piece(props: { tone: string; x: number; y: number; width: number; height: number }) {
  const { tone, x, y, width, height } = props
  return height > 0 ? <rect class={tone} x={x} y={round(y)} width={width} height={height} /> : null
}

const all = ({ well, refused, failed }: RequestBar) => well + refused + failed

/** 1, 2 or 5 times a power of ten. */
function roundStep(least: number): number {
  let step = 1
  for (let turn = 0; step < least; turn++) step *= turn % 3 === 1 ? 2.5 : 2
  return step
}

function inWords({ period, from, to, bars }: RequestChartProps): string {
  const sum = (of: (bar: RequestBar) => number) => bars.reduce((total, bar) => total + of(bar), 0)
  const total = sum(all)
  if (total === 0) return `Requests in ${period}: none.`
  const count = (number: number) => number.toLocaleString('en-US')
  const most = bars.reduce((one, other) => (all(other) > all(one) ? other : one))
  const at = `${shortDateTime(most.at, to)} ${zoneName(from, 'UTC')}`
  const failed = sum(bar => bar.failed)
  const refused = sum(bar => bar.refused)
  const parts = [
    failed > 0 ? `${count(failed)} failed` : '',
    refused > 0 ? `${count(refused)} were refused` : '',
  ]
  const ends = parts.filter(part => part !== '').join(', ')
  return `Requests in ${period}: ${count(total)}${ends === '' ? '' : `, of which ${ends}`}; most at ${at}.`
}
