import { nextSlot, type Schedule } from '../../cron/cron.ts'

/** The due slots of one job. */
export interface DueSlots {
  /** In the order of time. */
  due: number[]
  /** Where slots between two of `due` are left out: after `from`, up to and including `to`. */
  gap: { from: number; to: number } | null
  /** The first slot after `now`; null when the schedule has no further one. */
  next: number | null
}

/** At most this many missed slots of one job are listed, and at most this many are caught up. */
export const missedLimit = 100

/** How far back to look for the latest slots when there are too many to list. */
const lookBackMs = [5 * 60_000, 3_600_000, 86_400_000, 32 * 86_400_000, 366 * 86_400_000]

/** Lists the slots of a schedule from `first` to `now`; of very many, only the earliest and the latest ones. */
export function dueSlots(schedule: Schedule, first: number, now: number): DueSlots {
  const due = [first]
  let gap: DueSlots['gap'] = null
  for (let last = first; ; ) {
    if (due.length === missedLimit) {
      const to = nearEnd(schedule, now)
      if (last < to) {
        gap = { from: last, to }
        last = to
      }
    }
    const slot = nextSlot(schedule, last)
    if (!slot || slot.at > now) return { due, gap, next: slot?.at ?? null }
    last = slot.at
    due.push(last)
  }
}

/** An instant shortly before `now` with at least one slot, but not very many, in between. */
function nearEnd(schedule: Schedule, now: number): number {
  const instants = lookBackMs.map(ms => now - ms)
  return instants.find(each => (nextSlot(schedule, each)?.at ?? Number.POSITIVE_INFINITY) <= now) ?? 0
}
