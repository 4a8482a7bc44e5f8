import { mkdirSync } from 'node:fs'
import type { SyncAnswers, SyncQuestion } from '../git/merge/sync-protocol.ts'
import { startProgram } from '../process/child-program.ts'
import { questionsTo } from '../process/questions.ts'

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
  let writing: Promise<unknown> = Promise.resolve()
  mkdirSync(scratchDir, { recursive: true })
  const child = startProgram('sync', {
    jobsDir: dir,
    write: [scratchDir],
    cacheDir,
    memoryMb,
    env: { NODE_USE_ENV_PROXY: '1' },
  })
  const { ask, gone } = questionsTo(
    child,
    'sync program',
    // Node aborts when its heap is full.
    signal => (signal === 'SIGABRT' ? `it needs more than ${memoryMb} MiB` : signal),
  )
  return {
    ask: question => {
      const answer = ask<Answer<typeof question>>({ ...question, dir })
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
