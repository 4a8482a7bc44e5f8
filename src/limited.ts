/**
 * Runs at most `atOnce` pieces of work side by side; those that come later wait, up to `queue` of them. Whoever comes
 * after these gets the error that `full` makes.
 */
export function limited(atOnce: number, queue: number, full: () => Error) {
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
      // The place goes on to whoever waits, so that nobody slips in between.
      const next = waiting.shift()
      if (next) next()
      else going--
    }
  }
}
