import { setImmediate as nextRound, setTimeout as pause } from 'node:timers/promises'

/** Runs one task after another, in the order of the calls. */
export type InOrder = <T>(work: () => Promise<T>) => Promise<T>

/** Returns a function that runs one task at a time. A failed task does not block the next. */
export function serial(): InOrder {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}

/**
 * Returns a function that runs the tasks of one key one after another, in the order of the calls. A failed task does
 * not block the next; other keys do not wait.
 */
export function serialByKey() {
  const last = new Map<string, Promise<unknown>>()
  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const result = (last.get(key) ?? Promise.resolve()).catch(() => {}).then(work)
    last.set(key, result)
    try {
      return await result
    } finally {
      if (last.get(key) === result) last.delete(key)
    }
  }
}

/**
 * Returns a function that runs at most `atOnce` tasks at the same time and queues up to `queue` more. Beyond that it
 * throws the error that `full` returns.
 */
export function limit(atOnce: number, queue: number, full: () => Error) {
  const waiting: (() => void)[] = []
  let going = 0
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (going >= atOnce) {
      if (waiting.length >= queue) throw full()
      await new Promise<void>(resolve => waiting.push(resolve))
    } else going++
    try {
      return await work()
    } finally {
      // Pass the place to the next in the queue, so that no other call takes it.
      const next = waiting.shift()
      if (next) next()
      else going--
    }
  }
}

/** As `limit`, for each key by itself. */
export function limitByKey(atOnce: number, queue: number, full: () => Error) {
  const keys = new Map<string, { calls: number; place: ReturnType<typeof limit> }>()
  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const known = keys.get(key) ?? { calls: 0, place: limit(atOnce, queue, full) }
    keys.set(key, known)
    known.calls++
    try {
      return await known.place(work)
    } finally {
      if (--known.calls === 0) keys.delete(key)
    }
  }
}

/**
 * Waits until `done` resolves, for `withinMs` at most. After a timeout, one more pass of the event loop lets a busy
 * process read data that is already in its pipes.
 */
export async function waitAtMost(done: Promise<unknown>, withinMs: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => setImmediate(resolve), withinMs)
  await Promise.race([done, over])
  clearTimeout(timer)
}

/** Work that kept the event loop for so long is followed by a pause, at most this long. */
const longMs = 20
const mostPauseMs = 100

/**
 * Gives the event loop to others after work that kept it since `begunAt`, by `performance.now()`: for one round of it, and
 * after long work for as long as that took. A request takes several rounds, and would have to wait for such work in each.
 */
export async function giveWay(begunAt: number): Promise<void> {
  await nextRound()
  // The system's clock, whatever the program's is: this is about the processor.
  const tookMs = performance.now() - begunAt
  if (tookMs >= longMs) await pause(Math.min(tookMs, mostPauseMs))
}
