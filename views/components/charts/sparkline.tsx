import { durationWords } from '../time-words.ts'

/**
 * The durations of the last runs, oldest first in milliseconds, with the newest marked. Renders nothing for fewer
 * than two.
 */
export function Sparkline({ values, height = 40 }: { values: readonly number[]; height?: number }) {
  if (values.length < 2) return null
  const top = Math.max(...values, 1)
  const x = (index: number) => round((index / (values.length - 1)) * 100)
  const y = (value: number) => round(height - 4 - (value / top) * (height - 8))
  const segments = values.slice(1).map((value, index) => ({ from: index, value }))
  const sorted = values.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return (
    <svg
      class="chart"
      width="100%"
      height={height}
      role="img"
      aria-label={`Durations of the last ${values.length} runs: median ${durationWords(median)}, longest ${durationWords(top)}`}
    >
      <line class="rail" x1="0" x2="100%" y1={y(median)} y2={y(median)} stroke-dasharray="2 4" />
      {segments.map(({ from, value }) => (
        <line
          class="trend"
          x1={`${x(from)}%`}
          y1={y(values[from] ?? 0)}
          x2={`${x(from + 1)}%`}
          y2={y(value)}
        />
      ))}
      <circle class="due" cx="100%" cy={y(values.at(-1) ?? 0)} r="3" />
    </svg>
  )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
