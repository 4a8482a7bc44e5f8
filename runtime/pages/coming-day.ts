import type { Clock } from '../../src/clock.ts'
import type { DayLane } from '../../views/components/charts/day-timeline.tsx'
import type { PastLane } from '../../views/components/charts/past-timeline.tsx'
import { previewSlots } from '../cron/cron.ts'
import type { Job, Slots } from '../jobs/contract.ts'

const day = 24 * 3_600_000
/** More slots than this cannot be distinguished in a picture. */
const mostSlots = 72
const keepMs = 5 * 60_000

/**
 * The slots of the coming 24 hours. A page polls every other second, so slots are cached: those of one schedule are
 * valid until the first of them has passed.
 */
export function comingDay(clock: Clock) {
  const cache = new Map<string, { at: number; slots: number[] }>()

  const slotsOf = ({ cron, timezone }: Job, now: number): number[] => {
    const key = `${cron} ${timezone}`
    const cached = cache.get(key)
    // Cached at a later time, the clock was set back: there may be earlier slots.
    if (cached && now >= cached.at && now - cached.at < keepMs && cached.slots.length > 0) {
      return cached.slots.filter(slot => slot > now)
    }
    const slots = previewSlots({ cron, timezone }, now, mostSlots + 1)
      .map(slot => slot.at)
      .filter(slot => slot < now + day + keepMs)
    if (cache.size > 500) cache.clear()
    cache.set(key, { at: now, slots })
    return slots
  }

  return (jobs: readonly Job[]): { zone: string; lanes: DayLane[] } => {
    const now = clock.now()
    const lanes = jobs.map(job => {
      const slots = slotsOf(job, now)
      const slotCount = cache.get(`${job.cron} ${job.timezone}`)?.slots.length ?? 0
      return {
        label: job.id,
        href: `/jobs/${job.id}`,
        slots: slots.filter(slot => slot < now + day),
        dense: slotCount > mostSlots,
        enabled: job.enabled,
      }
    })
    return { zone: commonest(jobs.map(job => job.timezone)), lanes }
  }
}

/** The results of the past 24 hours' due times of these jobs. */
export function pastDay(slots: Pick<Slots, 'recent'>, jobs: readonly Job[], now: number): PastLane[] {
  const ids = jobs.map(job => job.id)
  const recent = slots.recent(ids, { from: now - day, to: now + 1, most: mostSlots + 1 })
  return ids.map(id => {
    const newest = recent.get(id) ?? []
    const shown = newest.slice(0, mostSlots).toReversed()
    return { label: id, href: `/jobs/${id}`, slots: shown, more: newest.length > mostSlots }
  })
}

/** The zone of most jobs, for the axis; UTC if there is none. */
function commonest(zones: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const zone of zones) counts.set(zone, (counts.get(zone) ?? 0) + 1)
  const [first] = [...counts].toSorted(([, a], [, b]) => b - a)
  return first?.[0] ?? 'UTC'
}
