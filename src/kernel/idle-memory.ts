import type { Task } from './tasks.ts'

/** What V8 tells about its heap and how busy the program is; `collect` collects what nothing refers to. */
export interface HeapView {
  /** The memory that the heap occupies, used or not, in bytes. */
  sizeBytes(): number
  /** The share of the time since the last call in which the program was at work, from 0 to 1. */
  busyShare(): number
  /** Gives all that is unused back to the system. Blocks: two to four milliseconds for each MiB in use. */
  collect(): void
}

/** Growth that is not worth a collection. */
const slackBytes = 4 * 2 ** 20
/** What was in use at the last collection may be free since, without any growth: once an hour is often enough. */
const mostQuietRounds = 240
/** A larger heap takes longer to collect, and may grow further first. */
const slackShare = 0.25
/** A program that works more than this is not idle: a pause would be noticed. */
const mostBusyShare = 0.03
/** A larger heap is left alone: the pause would make slots late. */
const largestBytes = 64 * 2 ** 20

/**
 * Returns memory to the system while the program is idle. V8 collects when its heap is full, and a program that does
 * nothing never fills it: a third of what an idle instance had of the host was left over from its start.
 *
 * Collects in the first quiet round, in later ones when the heap has grown since, and once an hour.
 */
export function idleMemory(heap: HeapView = ownHeap()): Task {
  let floorBytes = 0
  let quietRounds = 0
  return {
    name: 'idle-memory',
    everyMs: 15_000,
    run: async () => {
      if (heap.busyShare() > mostBusyShare) return
      quietRounds++
      const size = heap.sizeBytes()
      if (size > largestBytes) return
      const slack = Math.max(slackBytes, floorBytes * slackShare)
      if (size - floorBytes <= slack && quietRounds < mostQuietRounds) return
      quietRounds = 0
      heap.collect()
      floorBytes = heap.sizeBytes()
    },
  }
}

/** The heap of this process. */
export function ownHeap(): HeapView {
  // A program has just started when this is first asked, and gets on with that.
  let last: ReturnType<typeof performance.eventLoopUtilization> | null = null
  return {
    sizeBytes: () => builtin('node:v8').getHeapStatistics().total_physical_size,
    busyShare: () => {
      const now = performance.eventLoopUtilization()
      const share = last ? performance.eventLoopUtilization(now, last).utilization : 1
      last = now
      return share
    },
    collect: () => collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  }
}

/**
 * The flag is off again at once: V8 rejects compiled code that was cached under other flags, and the cache is written
 * while the program runs.
 */
function collector(): NodeJS.GCFunction {
  const { setFlagsFromString } = builtin('node:v8')
  const { runInNewContext } = builtin('node:vm')
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as NodeJS.GCFunction
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}

/** Loaded when it is needed: both are two hundredths of a start. */
const builtin = process.getBuiltinModule
