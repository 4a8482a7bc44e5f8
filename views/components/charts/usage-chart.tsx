import type { Spread } from '../../../plugins/provisioner/contract.ts'
import { shortDateTime, zoneName } from '../time-words.ts'
import { percent, round, timeMarks } from './time-axis.ts'

export interface UsageChartProps {
  /** What is drawn, as the beginning of a sentence: `Memory`. */
  title: string
  /** The period in words: `the last 24 hours`. */
  period: string
  from: number
  to: number
  /** How long the stretch of each point is. */
  stretchMs: number
  /** The oldest first; null where it was not measured. */
  points: readonly { at: number; value: Spread | null }[]
  /** What it may be at most; null for no limit. */
  limit: number | null
  /** A value with its unit: `120 MiB`. */
  words(value: number): string
  /** Where marks of the axis may stand: multiples of 1, 2 and 5 of this. */
  unit: number
}

const height = 120
const inner = 1000
/** How wide a measurement without neighbours is drawn, of `inner`. */
const singleWidth = 8

/**
 * A value over time: the average as a line within the band from the minimum to the maximum, gaps where nothing was measured, and the
 * limit. Below it, the same in words.
 */
export function UsageChart(props: UsageChartProps) {
  const { title, from, to, points, limit, words } = props
  const measured = points.flatMap(({ at, value }) => (value ? [{ at, ...value }] : []))
  const { top, marks } = axisOf(measured, limit, props.unit)
  const x = (at: number) => round(((at - from) / (to - from)) * inner)
  const y = (value: number) => round(height - (Math.min(value, top) / top) * height)
  const lines = unbroken(measured, props.stretchMs)
  const summary = inWords(props, measured)
  const shown = limit !== null && limit <= top
  return (
    <figure class="usage">
      <svg class="chart" width="100%" height={height + 24} role="img" aria-label={summary}>
        {[0, ...marks].map(mark => (
          <line class="rail" x1="0" x2="100%" y1={y(mark) + 4} y2={y(mark) + 4} />
        ))}
        <svg
          y="4"
          width="100%"
          height={height}
          viewBox={`0 0 ${inner} ${height}`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          {lines.map(line => (
            <>
              <path class="area" d={band(line, x, y)} />
              <path
                class="trend"
                vector-effect="non-scaling-stroke"
                stroke-linecap="round"
                d={`M${line.map(({ at, avg }) => `${x(at)} ${y(avg)}`).join('L')}${line.length === 1 ? `h${singleWidth}` : ''}`}
              />
            </>
          ))}
        </svg>
        {shown ? <line class="limit" x1="0" x2="100%" y1={y(limit) + 4} y2={y(limit) + 4} /> : null}
        {marks.map(mark => (
          <text x="0" y={y(mark) + 15}>
            {words(mark)}
          </text>
        ))}
        {shown ? (
          <text class="limit-word" x="0" y={y(limit) + 15}>
            limit {words(limit)}
          </text>
        ) : null}
        {timeMarks(from, to).map(({ at, minor, text }) => (
          <>
            <line
              class="rail"
              x1={percent(at, from, to)}
              x2={percent(at, from, to)}
              y1={height + 4}
              y2={height + 8}
            />
            <text
              class={minor ? 'minor' : undefined}
              x={percent(at, from, to)}
              y={height + 20}
              text-anchor="middle"
            >
              {text}
            </text>
          </>
        ))}
      </svg>
      <figcaption>
        <strong>{title}</strong> {summary.slice(title.length + 1)}
      </figcaption>
    </figure>
  )
}

type Measured = Spread & { at: number }

interface Axis {
  top: number
  /** Where lines go across, beside the one at 0. */
  marks: readonly number[]
}

/** The limit, where values come near it, and its half; else two round steps that hold all values. */
function axisOf(measured: readonly Measured[], limit: number | null, unit: number): Axis {
  const most = Math.max(unit, ...measured.map(({ max }) => max))
  if (limit !== null && (most >= limit / 10 || measured.length === 0))
    return { top: Math.max(limit, most) * 1.06, marks: [limit / 2] }
  let step = unit
  for (let turn = 0; step * 2 < most; turn++) step *= turn % 3 === 1 ? 2.5 : 2
  return { top: step * 2.12, marks: [step, step * 2] }
}

/** Lines without gaps: between two points that follow each other nothing is missing. */
function unbroken(measured: readonly Measured[], stretchMs: number): Measured[][] {
  const pauses = measured.slice(1).map(({ at }, index) => at - (measured[index]?.at ?? at))
  // Some hosts are measured more rarely than there are stretches.
  const usual = pauses.toSorted((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? stretchMs
  const longest = Math.max(usual, stretchMs) * 2.5
  const lines: Measured[][] = []
  for (const [index, point] of measured.entries()) {
    const pause = pauses[index - 1]
    if (pause === undefined || pause > longest) lines.push([point])
    else lines.at(-1)?.push(point)
  }
  return lines
}

function band(line: readonly Measured[], x: (at: number) => number, y: (value: number) => number): string {
  const [only] = line
  if (only && line.length === 1)
    return `M${x(only.at)} ${y(only.max)}h${singleWidth}V${y(only.min)}h-${singleWidth}Z`
  const above = line.map(({ at, max }) => `${x(at)} ${y(max)}`)
  const below = line.toReversed().map(({ at, min }) => `${x(at)} ${y(min)}`)
  return `M${[...above, ...below].join('L')}Z`
}

function inWords(
  { title, period, from, to, words, limit }: UsageChartProps,
  measured: readonly Measured[],
): string {
  const limited = limit === null ? '' : ` The limit is ${words(limit)}.`
  if (measured.length === 0) return `${title} was not measured in ${period}.${limited}`
  const average = measured.reduce((sum, { avg }) => sum + avg, 0) / measured.length
  const most = measured.reduce((one, other) => (other.max > one.max ? other : one))
  const last = measured.at(-1) ?? most
  const at = `${shortDateTime(most.at, to)} ${zoneName(from, 'UTC')}`
  return `${title} in ${period}: ${words(last.avg)} at the end, ${words(average)} on average, ${words(most.max)} at most, at ${at}.${limited}`
}
