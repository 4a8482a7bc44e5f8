import { limit } from '../../../src/concurrency.ts'
import { overloaded } from '../../../src/http/problem.ts'

const queued = 4

/** Runs one push at a time. Of each token, one may wait. Rejects with `overloaded` beyond that. */
export function turns(): (token: string, work: () => Promise<void>) => Promise<void> {
  const crowded = () =>
    overloaded('Others are pushing to the jobs repo. Try again in a few seconds.', {
      headers: { 'Retry-After': '5' },
    })
  const inOrder = limit(1, queued, crowded)
  const waiting = new Set<string>()
  return async (token, work) => {
    if (waiting.has(token)) throw crowded()
    waiting.add(token)
    let started = false
    try {
      await inOrder(() => {
        started = true
        waiting.delete(token)
        return work()
      })
    } finally {
      // The queue was full.
      if (!started) waiting.delete(token)
    }
  }
}
