import { clockTime } from '../time-words.ts'

const hour = 3_600_000
export const dayMs = 24 * hour

/**
 * Every third full hour of the zone's clock in the 24 hours from `from`, except so near the edges that its text would
 * be cut off.
 */
export function axisMarks(from: number, zone: string): number[] {
  const first = Math.ceil(from / hour) * hour
  return Array.from({ length: 24 }, (_, index) => first + index * hour).filter(
    at =>
      Number(clockTime(at, zone).slice(0, 2)) % 3 === 0 &&
      at - from > hour / 2 &&
      from + dayMs - at > hour / 2,
  )
}

/** The position of an instant in the 24 hours from `from`. */
export function percentOfDay(at: number, from: number): string {
  return `${Math.round(((at - from) / dayMs) * 10_000) / 100}%`
}
