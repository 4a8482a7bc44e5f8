import { type SlotEnd, slotIsWell, slotTone, slotWord } from '../status.tsx'
import { clockTime } from '../time-words.ts'
import { dayMs, percentOfDay } from './day-axis.ts'
import { DayFrame } from './day-frame.tsx'

export interface PastLane {
  label: string
  href: string
  /** Due times within the 24 hours, oldest first. */
  slots: readonly (SlotEnd & { at: number })[]
  /** True if the oldest due times were left out. */
  more: boolean
}

/** The results of the due times in the 24 hours up to `now`, one lane per job. Times of the axis are in `zone`. */
export function PastTimeline({
  now,
  zone,
  lanes,
}: {
  now: number
  zone: string
  lanes: readonly PastLane[]
}) {
  const from = now - dayMs
  return (
    <DayFrame
      from={from}
      now={now}
      zone={zone}
      lanes={lanes}
      lane={(lane, marks) => <Lane lane={lane} from={from} marks={marks} zone={zone} />}
    />
  )
}

function Lane(props: { lane: PastLane; from: number; marks: readonly number[]; zone: string }) {
  const { lane, from, marks, zone } = props
  const first = lane.slots[0]?.at
  return (
    <svg class="chart" width="100%" height="26" role="img" aria-label={laneWords(lane)}>
      <line class="rail" x1="0" x2="100%" y1="13" y2="13" />
      {marks.map(mark => (
        <line class="rail" x1={percentOfDay(mark, from)} x2={percentOfDay(mark, from)} y1="8" y2="18" />
      ))}
      <line class="now" x1="100%" x2="100%" y1="3" y2="23" />
      {lane.more && first !== undefined ? (
        <rect class="off" x="0" y="10" width={percentOfDay(first, from)} height="6" rx="3" />
      ) : null}
      {lane.slots.map(slot => (
        <SlotMark
          x={percentOfDay(slot.at, from)}
          slot={slot}
          words={`${clockTime(slot.at, zone)}: ${slotWord(slot)}`}
        />
      ))}
    </svg>
  )
}

/** Successful runs and runs in progress are round, all others are bars, so that they differ without colour. */
function SlotMark({ x, slot, words }: { x: string; slot: SlotEnd; words: string }) {
  const tone = slotTone(slot)
  return slotIsWell(slot) ? (
    <circle class={tone} cx={x} cy="13" r="4">
      <title>{words}</title>
    </circle>
  ) : (
    <line class={`bar ${tone}`} x1={x} x2={x} y1="7" y2="19">
      <title>{words}</title>
    </line>
  )
}

function laneWords(lane: PastLane): string {
  if (lane.slots.length === 0) return `${lane.label} was not due in the last 24 hours`
  const counts = new Map<string, number>()
  for (const word of lane.slots.map(slotWord)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const words = [...counts].map(([word, count]) => `${count} ${word.toLowerCase()}`)
  const last = lane.more ? `the last ${lane.slots.length} due times` : 'the last 24 hours'
  return `${lane.label} in ${last}: ${words.join(', ')}`
}
