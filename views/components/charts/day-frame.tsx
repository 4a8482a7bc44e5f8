import type { Child } from 'hono/jsx'
import { clockTime, zoneName } from '../time-words.ts'
import { axisMarks, percentOfDay } from './day-axis.ts'

/** A day as lanes under one axis, from `from` on; `lane` draws each. Times of the axis are in `zone`, named as at `now`. */
export function DayFrame<Lane extends { label: string; href: string }>(props: {
  from: number
  now: number
  zone: string
  lanes: readonly Lane[]
  lane(lane: Lane, marks: readonly number[]): Child
}) {
  const { from, now, zone, lanes, lane } = props
  const marks = axisMarks(from, zone)
  return (
    <div class="day">
      <span class="fine">{zoneName(now, zone)}</span>
      <svg class="chart" width="100%" height="18" aria-hidden="true">
        {marks.map((mark, index) => (
          <text
            class={index % 2 === 1 ? 'minor' : undefined}
            x={percentOfDay(mark, from)}
            y="12"
            text-anchor="middle"
          >
            {clockTime(mark, zone)}
          </text>
        ))}
      </svg>
      {lanes.map(each => (
        <>
          <a class="lane" href={each.href}>
            {each.label}
          </a>
          {lane(each, marks)}
        </>
      ))}
    </div>
  )
}
