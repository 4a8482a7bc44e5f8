/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = Math.floor(sorted.length / 2)
  const middle = sorted.length % 2 === 1 ? sorted.slice(upper, upper + 1) : sorted.slice(upper - 1, upper + 1)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}
