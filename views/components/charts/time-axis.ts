import { shortDateTime } from '../time-words.ts'

/** At most seven moments on the axis, in UTC. */
export function timeMarks(from: number, to: number): { at: number; text: string; minor: boolean }[] {
  const hour = 3_600_000
  const day = 24 * hour
  const steps = [hour / 6, 3 * hour, day, 5 * day, 60 * day]
  const step = steps.find(each => (to - from) / each <= 8.5) ?? 60 * day
  const first = Math.ceil((from + (to - from) * 0.03) / step) * step
  const last = to - (to - from) * 0.03
  const count = Math.max(0, Math.floor((last - first) / step) + 1)
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * step
    return { at, text: markWords(at, to, step), minor: index % 2 === 1 }
  })
}

function markWords(at: number, to: number, step: number): string {
  const day = 24 * 3_600_000
  if (step < day) return shortDateTime(at, at)
  // A date without its time: marks of days are at midnight.
  const words = shortDateTime(at, step > day ? to + 400 * day : to)
  return words.replace(/ 00:00$/, '')
}

/** Where a moment is on an axis from left to right. */
export const percent = (at: number, from: number, to: number) =>
  `${round(((at - from) / (to - from)) * 100)}%`

/** To a tenth: more digits only make pages longer. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}
