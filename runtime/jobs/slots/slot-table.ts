export interface Due {
  jobId: string
  at: number
}

/** The next slot of every job that has one, as a binary heap with the earliest on top. */
export interface SlotTable {
  add(due: Due): void
  /** Takes out the earliest slot if it is due at `now`. */
  takeDue(now: number): Due | null
  next(jobId: string): number | null
  /** When the earliest slot is due; null when there is none. */
  earliest(): number | null
  remove(jobId: string): void
  clear(): void
}

export function createSlotTable(): SlotTable {
  let heap: Due[] = []
  // The valid entries. Others in the heap are stale, and dropped when they reach the top.
  const current = new Map<string, Due>()

  const swap = (a: number, b: number) => {
    const due = heap[a] as Due
    heap[a] = heap[b] as Due
    heap[b] = due
  }
  const at = (index: number) => heap[index]?.at ?? Number.POSITIVE_INFINITY
  const rise = (start: number) => {
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (at(parent) <= at(index)) return
      swap(parent, index)
      index = parent
    }
  }
  const sink = () => {
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const least = at(left + 1) < at(left) ? left + 1 : left
      if (at(index) <= at(least)) return
      swap(index, least)
      index = least
    }
  }
  const pop = (): Due | undefined => {
    if (heap.length > 0) swap(0, heap.length - 1)
    const due = heap.pop()
    sink()
    return due
  }

  const dropStale = () => {
    while (heap[0] && current.get(heap[0].jobId) !== heap[0]) pop()
  }

  return {
    add: due => {
      current.set(due.jobId, due)
      heap.push(due)
      rise(heap.length - 1)
      // Rebuild the heap when most of it is stale.
      if (heap.length > 64 && heap.length > 2 * current.size) {
        heap = [...current.values()].sort((a, b) => a.at - b.at)
      }
    },
    takeDue: now => {
      dropStale()
      if (at(0) > now) return null
      const due = pop() as Due
      current.delete(due.jobId)
      return due
    },
    earliest: () => {
      dropStale()
      return heap[0]?.at ?? null
    },
    next: jobId => current.get(jobId)?.at ?? null,
    remove: jobId => {
      current.delete(jobId)
    },
    clear: () => {
      heap = []
      current.clear()
    },
  }
}
