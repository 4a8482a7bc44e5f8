/** Returns the most likely intended name; null if none is similar. */
export function nearest(name: string, names: Iterable<string>): string | null {
  let best: string | null = null
  // A third of the letters may be wrong, and two in any case.
  let least = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const each of names) {
    if (Math.abs(each.length - name.length) >= least) continue
    const distance = editDistance(name, each)
    if (distance < least) {
      least = distance
      best = each
    }
  }
  return best ?? [...names].find(each => name.length > 2 && each.includes(name)) ?? null
}

/** The number of inserted, deleted, changed or swapped letters; infinite if it is certainly more than `most`. */
export function editDistance(a: string, b: string, most = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > most) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const next = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const changed = (last[column - 1] ?? 0) + (same ? 0 : 1)
      const put = Math.min(last[column] ?? 0, next[column - 1] ?? 0) + 1
      const swapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
          ? (before[column - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY
      next.push(Math.min(changed, put, swapped))
    }
    if (Math.min(...next) > most && Math.min(...last) > most) return Number.POSITIVE_INFINITY
    before = last
    last = next
  }
  return last[b.length] ?? 0
}
