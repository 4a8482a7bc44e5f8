/** Longer or less similar texts are left to a person. */
const mostLines = 20_000
const mostDifferences = 4000

/** Merges both sides' changes into one text; null if they changed the same lines differently. */
export function mergeText(base: string, ours: string, theirs: string): string | null {
  const [b, o, t] = [linesOf(base), linesOf(ours), linesOf(theirs)]
  const inOurs = matchLines(b, o)
  const inTheirs = matchLines(b, t)
  if (!inOurs || !inTheirs) return null
  const merged: string[] = []
  let [i, j, k] = [0, 0, 0]
  while (i < b.length || j < o.length || k < t.length) {
    let next = i
    while (next < b.length && (inOurs[next] === -1 || inTheirs[next] === -1)) next++
    const [oEnd, tEnd] = [inOurs[next] ?? o.length, inTheirs[next] ?? t.length]
    const change = pick(b.slice(i, next), o.slice(j, oEnd), t.slice(k, tEnd))
    if (!change) return null
    merged.push(...change)
    if (next < b.length) merged.push(b[next] as string)
    ;[i, j, k] = [next + 1, oEnd + 1, tEnd + 1]
  }
  return merged.join('')
}

function pick(base: string[], ours: string[], theirs: string[]): string[] | null {
  if (same(ours, theirs) || same(theirs, base)) return ours
  return same(ours, base) ? theirs : null
}

function same(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i])
}

/** With their line ends, so that joining them restores the text. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/**
 * Returns for each line of `a` the matching line of `b`, or -1: the longest common subsequence, by Myers' greedy
 * algorithm. Null if the texts are too large or too different.
 */
export function matchLines(a: readonly string[], b: readonly string[]): number[] | null {
  if (a.length > mostLines || b.length > mostLines) return null
  const match = new Array<number>(a.length).fill(-1)
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) match[start] = start++
  let [aEnd, bEnd] = [a.length, b.length]
  while (aEnd > start && bEnd > start && a[aEnd - 1] === b[bEnd - 1]) match[--aEnd] = --bEnd
  const [n, m] = [aEnd - start, bEnd - start]
  const most = Math.min(n + m, mostDifferences)
  const furthest = new Map<number, number>([[1, 0]])
  const trace: Map<number, number>[] = []
  for (let d = 0; d <= most; d++) {
    const before = new Map<number, number>()
    for (let k = -d + 1; k <= d - 1; k += 2) before.set(k, furthest.get(k) as number)
    trace.push(before)
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && at(furthest, k - 1) < at(furthest, k + 1))
      let x = down ? at(furthest, k + 1) : at(furthest, k - 1) + 1
      while (x < n && x - k < m && a[start + x] === b[start + x - k]) x++
      furthest.set(k, x)
      if (x >= n && x - k >= m) {
        walkBack(trace, n, m, (x, y) => {
          match[start + x] = start + y
        })
        return match
      }
    }
  }
  return null
}

const at = (map: ReadonlyMap<number, number>, k: number): number => map.get(k) ?? -1

function walkBack(
  trace: readonly ReadonlyMap<number, number>[],
  n: number,
  m: number,
  matched: (x: number, y: number) => void,
): void {
  let [x, y] = [n, m]
  for (let d = trace.length - 1; d > 0; d--) {
    const before = trace[d] as ReadonlyMap<number, number>
    const k = x - y
    const down = k === -d || (k !== d && at(before, k - 1) < at(before, k + 1))
    const from = down ? k + 1 : k - 1
    const fromX = at(before, from)
    const fromY = fromX - from
    while (x > fromX && y > fromY && (down ? y > fromY + 1 : x > fromX + 1)) matched(--x, --y)
    ;[x, y] = [fromX, fromY]
  }
  while (x > 0 && y > 0) matched(--x, --y)
}
