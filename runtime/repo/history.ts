import { limit } from '../../src/concurrency.ts'
import { overloaded } from '../../src/http/problem.ts'
import { startProgram } from '../process/child-program.ts'
import type { History, HistoryAnswers } from './contract.ts'
import type { HistoryAnswer, HistoryRequest } from './history-protocol.ts'

const limitMs = 30_000
/** Each request has its own process, and a small instance has memory for few. */
const questionsAtOnce = 2
const longestQueue = 32

export function openHistory(options: { dir: string; cacheDir: string }): History {
  const { dir, cacheDir } = options
  const place = limit(questionsAtOnce, longestQueue, () =>
    overloaded('The history is read for others. Try again in a few seconds.', {
      headers: { 'Retry-After': '5' },
    }),
  )
  const ask = async <O extends HistoryRequest['op']>(
    question: Extract<HistoryRequest, { op: O }>,
  ): Promise<HistoryAnswers[O]> => {
    const child = startProgram('history', { jobsDir: dir, cacheDir, memoryMb: 192 })
    const { promise, resolve, reject } = Promise.withResolvers<HistoryAnswer>()
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`reading the history took longer than ${limitMs / 1000} seconds`))
    }, limitMs)
    child.once('message', (answer: HistoryAnswer) => resolve(answer))
    child.once('error', reject)
    // Not on `exit`, which may arrive before the answer.
    child.once('close', (code, signal) =>
      reject(new Error(`the process that reads the history ended: ${signal ?? `exit code ${code}`}`)),
    )
    child.send(question, () => {})
    try {
      const answer = await promise
      if ('error' in answer) throw new Error(answer.error)
      return answer.ok as HistoryAnswers[O]
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    list: (limit, before) => place(() => ask<'list'>({ op: 'list', dir, limit, before: before ?? null })),
    show: commit => place(() => ask<'show'>({ op: 'show', dir, commit })),
    file: async (commit, path) => {
      const found = await place(() => ask<'file'>({ op: 'file', dir, commit, path }))
      if (found === null) return null
      return { ...found, content: found.content === null ? null : Buffer.from(found.content, 'base64') }
    },
    uncommitted: () => place(() => ask<'uncommitted'>({ op: 'uncommitted', dir })),
    discard: (path, hash) => place(() => ask<'discard'>({ op: 'discard', dir, path, hash })),
    restore: commit => place(() => ask<'restore'>({ op: 'restore', dir, commit })),
  }
}
