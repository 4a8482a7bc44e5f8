import type { ChildProcess } from 'node:child_process'

/** What a child program sends for each question, with the question's `id`. */
type Reply = { id: number; ok: unknown } | { id: number; error: string }

/** The questions to one child program. */
export interface Questions {
  /** Sends a question, with an `id`. Rejects with the message of the program, or because it ended. */
  ask<T>(question: object): Promise<T>
  /** Resolves when the program has ended. */
  gone: Promise<void>
}

/**
 * Asks a child program over its channel; it may answer in any order. `name` is what errors call it. `ending` says how a
 * signal is explained; by default it is named.
 */
export function questionsTo(
  child: ChildProcess,
  name: string,
  ending: (signal: NodeJS.Signals) => string = signal => signal,
): Questions {
  const waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>()
  let lastId = 0
  child.on('message', (reply: Reply) => {
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('ok' in reply) asked?.resolve(reply.ok as never)
    else asked?.reject(new Error(reply.error))
  })
  const gone = new Promise<void>(resolve => {
    const ended = (why: string) => {
      for (const { reject } of waiting.values()) reject(new Error(`the ${name} ended: ${why}`))
      waiting.clear()
      resolve()
    }
    child.once('error', error => ended(error.message))
    child.once('exit', (code, signal) => ended(signal ? ending(signal) : `exit code ${code}`))
  })
  return {
    ask: <T>(question: object) => {
      const id = ++lastId
      return new Promise<T>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        child.send({ ...question, id }, error => {
          if (error) reject(error)
        })
      })
    },
    gone,
  }
}
