export interface Hunk {
  /** The first line of each side, from 1. */
  before: number
  after: number
  /** Each starts with ` `, `-` or `+`. */
  lines: string[]
}

/** With more differences than this, the whole middle counts as replaced. */
const mostEdits = 800
const contextLines = 3

/** Returns the differences of two texts, line by line with context, as in `diff -u`. */
export function diffLines(before: string, after: string): Hunk[] {
  const a = linesOf(before)
  const b = linesOf(after)
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end])
    end++
  const script = [
    ...a.slice(0, start).map(line => ` ${line}`),
    ...editScript(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(line => ` ${line}`),
  ]
  return hunksOf(script)
}

function linesOf(text: string): string[] {
  if (text === '') return []
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/**
 * Returns the shortest edit script from `a` to `b`: Myers, "An O(ND) Difference Algorithm" (1986), forward, keeping
 * the frontier of each step for the way back.
 */
function editScript(a: readonly string[], b: readonly string[]): string[] {
  const replaced = () => [...a.map(line => `-${line}`), ...b.map(line => `+${line}`)]
  const most = Math.min(a.length + b.length, mostEdits)
  const reach = new Map<number, number>([[1, 0]])
  const frontiers: Map<number, number>[] = []
  const at = (frontier: Map<number, number>, k: number) => frontier.get(k) ?? -1
  const goesDown = (frontier: Map<number, number>, k: number, d: number) =>
    k === -d || (k !== d && at(frontier, k - 1) < at(frontier, k + 1))

  for (let d = 0; d <= most; d++) {
    frontiers.push(new Map(reach))
    for (let k = -d; k <= d; k += 2) {
      let x = goesDown(reach, k, d) ? at(reach, k + 1) : at(reach, k - 1) + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      reach.set(k, x)
      if (x >= a.length && x - k >= b.length) return wayBack(d)
    }
  }
  return replaced()

  function wayBack(steps: number): string[] {
    const script: string[] = []
    let x = a.length
    let y = b.length
    for (let d = steps; d >= 0; d--) {
      const frontier = frontiers[d] as Map<number, number>
      const k = x - y
      const down = goesDown(frontier, k, d)
      const fromX = d === 0 ? 0 : at(frontier, down ? k + 1 : k - 1)
      const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1)
      while (x > fromX && y > fromY) {
        script.push(` ${a[x - 1]}`)
        x--
        y--
      }
      if (d === 0) break
      script.push(down ? `+${b[y - 1]}` : `-${a[x - 1]}`)
      x = fromX
      y = fromY
    }
    return script.reverse()
  }
}

function hunksOf(script: readonly string[]): Hunk[] {
  const hunks: Hunk[] = []
  const changed = script.flatMap((line, index) => (line.startsWith(' ') ? [] : [index]))
  let before = 1
  let after = 1
  let open: { hunk: Hunk; until: number } | null = null
  let next = 0
  script.forEach((line, index) => {
    while ((changed[next] ?? Number.POSITIVE_INFINITY) < index) next++
    const nearest = changed[next] ?? Number.POSITIVE_INFINITY
    if (nearest - index <= contextLines) {
      if (!open || open.until < index) {
        const hunk = { before, after, lines: [] }
        hunks.push(hunk)
        open = { hunk, until: 0 }
      }
      open.until = nearest + contextLines
    }
    if (open && index <= open.until) open.hunk.lines.push(line)
    if (!line.startsWith('+')) before++
    if (!line.startsWith('-')) after++
  })
  return hunks
}
