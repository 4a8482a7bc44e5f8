/** Runs each piece of work after the one before it, in the order of the calls. */
export type InOrder = <T>(work: () => Promise<T>) => Promise<T>

/** Makes a function that runs one piece of work at a time. Work that fails does not hold up the next. */
export function serial(): InOrder {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}

/**
 * Makes a function that runs the work of one key one piece after another, in the order of the calls. Work that fails
 * does not hold up the next; other keys do not wait.
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
 * Makes a function that runs at most `atOnce` pieces of work at the same time and queues up to `queue` more. Beyond
 * that it throws the error that `full` makes.
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
      // Hand the place to the next in the queue, so that nothing slips in between.
      const next = waiting.shift()
      if (next) next()
      else going--
    }
  }
}

/**
 * Waits until `done` resolves, for `withinMs` at most. When the time is up, one more pass of the event loop lets a busy
 * process read what already lies in its pipes.
 */
export async function waitAtMost(done: Promise<unknown>, withinMs: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => setImmediate(resolve), withinMs)
  await Promise.race([done, over])
  clearTimeout(timer)
}
