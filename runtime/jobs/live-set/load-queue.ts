import { serial } from '../../../src/concurrency.ts'

/** Loads and other work on the files, one at a time. */
export interface LoadQueue {
  /**
   * Queues a load, and resolves when it has ended. Calls join a load that waits and has not begun; with `again` from
   * any of them, it reads the files even if nothing seems to have changed.
   */
  load(again: boolean): Promise<void>
  /** Queues other work on the files. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when nothing is in progress or queued. */
  idle(): Promise<void>
}

export function createLoadQueue(load: (again: boolean) => Promise<void>): LoadQueue {
  const inOrder = serial()
  let next: { again: boolean; done: Promise<void> } | null = null
  let pending = 0
  const queue = async <T>(work: () => Promise<T>): Promise<T> => {
    pending++
    try {
      return await inOrder(work)
    } finally {
      pending--
    }
  }
  return {
    load: again => {
      if (next) next.again ||= again
      else {
        const queued = { again, done: Promise.resolve() }
        queued.done = queue(() => {
          next = null
          return load(queued.again)
        })
        next = queued
      }
      return next.done
    },
    exclusive: queue,
    idle: async () => {
      while (pending > 0) await inOrder(async () => {})
    },
  }
}
