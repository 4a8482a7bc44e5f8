import { clockTime, zoneName } from '../time-words.ts'
import { percentOfDay as percent } from './day-axis.ts'
import { DayFrame } from './day-frame.tsx'

export interface DayLane {
  label: string
  href: string
  /** Due times in milliseconds, within the 24 hours. */
  slots: readonly number[]
  /** True for more slots than can be distinguished: drawn as a band. */
  dense: boolean
  /** False draws it faint, because it will not run. */
  enabled: boolean
}

/** The due times in the 24 hours from `from`, one lane per job. Times of the axis are in `zone`. */
export function DayTimeline({
  from,
  zone,
  lanes,
}: {
  from: number
  zone: string
  lanes: readonly DayLane[]
}) {
  return (
    <DayFrame
      from={from}
      now={from}
      zone={zone}
      lanes={lanes}
      lane={(lane, marks) => <Lane lane={lane} from={from} marks={marks} zone={zone} />}
    />
  )
}

function Lane(props: { lane: DayLane; from: number; marks: readonly number[]; zone: string }) {
  const { lane, from, marks, zone } = props
  const look = lane.enabled ? 'due' : 'off'
  return (
    <svg class="chart" width="100%" height="26" role="img" aria-label={laneWords(lane, zone)}>
      <line class="rail" x1="0" x2="100%" y1="13" y2="13" />
      {marks.map(mark => (
        <line class="rail" x1={percent(mark, from)} x2={percent(mark, from)} y1="8" y2="18" />
      ))}
      <line class="now" x1="0" x2="0" y1="3" y2="23" />
      {lane.dense ? (
        <rect class={lane.enabled ? 'dense' : 'off'} x="0" y="10" width="100%" height="6" rx="3" />
      ) : (
        lane.slots.map(slot => (
          <circle class={look} cx={percent(slot, from)} cy="13" r="4.5">
            <title>{`${clockTime(slot, zone)} ${zoneName(slot, zone)}`}</title>
          </circle>
        ))
      )}
    </svg>
  )
}

function laneWords(lane: DayLane, zone: string): string {
  const state = lane.enabled ? '' : ', but it is disabled'
  if (lane.dense) return `${lane.label} is due many times in the next 24 hours${state}`
  if (lane.slots.length === 0) return `${lane.label} is not due in the next 24 hours`
  const shown = lane.slots.slice(0, 8).map(slot => clockTime(slot, zone))
  const more = lane.slots.length > shown.length ? ` and ${lane.slots.length - shown.length} more` : ''
  return `${lane.label} is due at ${shown.join(', ')}${more}${state}`
}
