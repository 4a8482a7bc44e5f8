import type { ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { SyncAnswers, SyncQuestion, SyncReply } from '../git/merge/sync-protocol.ts'
import { startProgram } from '../process/child-program.ts'

type Answer<Q extends SyncQuestion> = SyncAnswers[Q['op']]

/** The sync program for the length of one sync. */
export interface SyncProgram {
  /** Rejects with the message of the program, or because the program ended. */
  ask<Q extends SyncQuestion>(question: Q): Promise<Answer<Q>>
  /** Ends the program at once; while it writes files, when they are written. */
  end(): Promise<void>
}

const memoryMb = 256

/** The sync programs of one jobs repo. */
export interface SyncPrograms {
  /** Starts a program, and ends it when the work is done. Rejects once they are stopped. */
  use<T>(work: (program: SyncProgram) => Promise<T>): Promise<T>
  stopped(): boolean
  /** Ends those in use, and starts no others. */
  stop(): Promise<void>
}

/** `scratchDir` is for files that must not be in the repo yet. */
export function syncPrograms({
  dir,
  ...folders
}: {
  dir: string
  cacheDir: string
  scratchDir: string
}): SyncPrograms {
  const inUse = new Set<SyncProgram>()
  let stopped = false
  return {
    use: async work => {
      if (stopped) throw new Error('the instance is stopping')
      const program = startSyncProgram(dir, folders)
      inUse.add(program)
      try {
        return await work(program)
      } finally {
        inUse.delete(program)
        await program.end()
      }
    },
    stopped: () => stopped,
    stop: async () => {
      stopped = true
      await Promise.all([...inUse].map(program => program.end()))
    },
  }
}

function startSyncProgram(
  dir: string,
  { cacheDir, scratchDir }: { cacheDir: string; scratchDir: string },
): SyncProgram {
  const waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>()
  let lastId = 0
  let writing: Promise<unknown> = Promise.resolve()
  mkdirSync(scratchDir, { recursive: true })
  const child: ChildProcess = startProgram('sync', {
    jobsDir: dir,
    write: [scratchDir],
    cacheDir,
    memoryMb,
    env: { NODE_USE_ENV_PROXY: '1' },
  })
  child.on('message', (reply: SyncReply) => {
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('ok' in reply) asked?.resolve(reply.ok as never)
    else asked?.reject(new Error(reply.error))
  })
  const gone = new Promise<void>(resolve => {
    const ended = (why: string) => {
      for (const { reject } of waiting.values()) reject(new Error(`the sync program ended: ${why}`))
      waiting.clear()
      resolve()
    }
    child.once('error', error => ended(error.message))
    child.once('exit', (code, signal) =>
      // Node aborts when its heap is full.
      ended(signal === 'SIGABRT' ? `it needs more than ${memoryMb} MiB` : (signal ?? `exit code ${code}`)),
    )
  })

  return {
    ask: question => {
      const id = ++lastId
      const answer = new Promise<Answer<typeof question>>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        child.send({ ...question, id, dir }, error => {
          if (error) reject(error)
        })
      })
      if (question.op === 'checkout' || question.op === 'recover') writing = answer.catch(() => {})
      return answer
    },
    end: async () => {
      await writing
      child.kill('SIGKILL')
      await gone
    },
  }
}
