import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { startProgram } from '../../process/child-program.ts'
import { questionsTo } from '../../process/questions.ts'
import { makeServedRepo, type Shown } from '../served-repo.ts'
import type { ReceiveAnswers, ReceiveQuestion } from './receive-protocol.ts'

type Answer<Q extends ReceiveQuestion> = ReceiveAnswers[Q['op']]

/** The receiving program of one push, with the folder for what it receives. */
export interface Receiver {
  /** The repository that receives. */
  repo: string
  /** Takes the pack. */
  input: Writable
  /** Rejects with the message of the program, or because the program ended. */
  ask<Q extends ReceiveQuestion>(question: Q): Promise<Answer<Q>>
  /** Ends the program and deletes what was received; while it writes files of the jobs repo, when they are written. */
  end(): Promise<void>
}

const memoryMb = 256

/** In the volume: a pack is moved from here into the jobs repo. */
const folderOf = (jobsDir: string) => join(dirname(jobsDir), 'received')

/** Deletes what a killed runtime had received. Call it before the first push. */
export function clearReceived(jobsDir: string): void {
  rmSync(folderOf(jobsDir), { recursive: true, force: true })
}

export function startReceiver({
  jobsDir,
  cacheDir,
  shown,
}: {
  jobsDir: string
  cacheDir: string
  shown: Shown
}): Receiver {
  let writing: Promise<unknown> = Promise.resolve()
  mkdirSync(folderOf(jobsDir), { recursive: true })
  const folder = mkdtempSync(join(folderOf(jobsDir), 'push-'))
  const repo = join(folder, 'jobs.git')
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    makeServedRepo(repo, jobsDir, shown)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const child = startProgram('receive', { jobsDir, write: [folder], cacheDir, memoryMb, takesInput: true })
  child.stdin?.on('error', () => {})
  const { ask, gone } = questionsTo(child, 'receiving program')
  return {
    repo,
    input: child.stdin as Writable,
    ask: question => {
      const answer = ask<Answer<typeof question>>({ ...question, dir: jobsDir })
      if (question.op === 'take') writing = answer.catch(() => {})
      return answer
    },
    end: async () => {
      await writing
      child.kill('SIGKILL')
      await gone
      await remove()
    },
  }
}
