import type { ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import { startProgram } from '../process/child-program.ts'
import type { GitAnswer, GitRequest, GitState } from './work-tree/protocol.ts'

type Question<R = GitRequest> = R extends GitRequest ? Omit<R, 'id'> : never

interface Asked {
  by: ChildProcess
  resolve: (state: GitState) => void
  reject: (error: Error) => void
}

const memoryMb = 256

/** The process that works on git repositories: started with the first request, and ended `idleMs` after the last answer. */
export class GitProcess {
  readonly #options: { dir: string; cacheDir: string; idleMs: number; limitMs: number }
  readonly #waiting = new Map<number, Asked>()
  #child: ChildProcess | null = null
  /** The folder that it was started for: its restrictions apply to that one. */
  #startedIn = 0
  #gone: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined
  #lastId = 0
  #stopped = false

  constructor(options: { dir: string; cacheDir: string; idleMs: number; limitMs: number }) {
    this.#options = options
  }

  /** Rejects when git fails, takes longer than `limitMs`, or is stopped. */
  async ask(question: Question): Promise<GitState> {
    if (this.#stopped) throw new Error('the git program was stopped')
    const { limitMs } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<GitState>()
    const id = ++this.#lastId
    const by = this.#started()
    clearTimeout(this.#idle)
    const limit = setTimeout(() => {
      this.#waiting.delete(id)
      reject(new Error(`git took longer than ${limitMs / 1000} seconds`))
      // The next request starts another one, and does not end with this one.
      if (this.#child === by) this.#child = null
      by.kill('SIGKILL')
    }, limitMs)
    this.#waiting.set(id, { by, resolve, reject })
    by.send({ ...question, id }, error => {
      if (error) reject(error)
    })
    try {
      return await promise
    } finally {
      clearTimeout(limit)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#dismiss()
    await this.#gone
  }

  #started(): ChildProcess {
    const { dir, cacheDir } = this.#options
    if (this.#child?.connected && this.#startedIn !== inodeOf(dir)) this.#dismiss()
    if (this.#child?.connected) return this.#child
    const started = startProgram('git', { jobsDir: dir, cacheDir, memoryMb })
    this.#startedIn = inodeOf(dir)
    started.on('message', (answer: GitAnswer) => this.#take(answer, started))
    this.#gone = Promise.all([this.#gone, this.#ended(started)])
    this.#child = started
    return started
  }

  #take(answer: GitAnswer, from: ChildProcess): void {
    const asked = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('ok' in answer) asked?.resolve(answer.ok)
    else asked?.reject(new Error(answer.error))
    if (this.#child !== from) this.#release(from)
    this.#rest()
  }

  /** Resolves when the process is gone; what it still owed is rejected. Its successor may have requests already. */
  #ended(program: ChildProcess): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = (why: string) => {
      if (this.#child === program) this.#child = null
      for (const [id, { by, reject }] of this.#waiting) {
        if (by !== program) continue
        this.#waiting.delete(id)
        reject(new Error(`the git program ended: ${why}`))
      }
      resolve()
    }
    program.once('error', error => end(error.message))
    program.once('exit', (code, signal) =>
      // Node aborts when its heap is full.
      end(signal === 'SIGABRT' ? `it needs more than ${memoryMb} MiB` : (signal ?? `exit code ${code}`)),
    )
    return promise
  }

  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#waiting.size === 0) this.#idle = setTimeout(() => this.#dismiss(), this.#options.idleMs).unref()
  }

  #dismiss(): void {
    clearTimeout(this.#idle)
    const leaving = this.#child
    this.#child = null
    if (leaving) this.#release(leaving)
  }

  /** It ends after its answers, which need the channel; requests to its successor are not lost. */
  #release(program: ChildProcess): void {
    const owes = this.#waiting.values().some(({ by }) => by === program)
    if (program.connected && !owes) program.disconnect()
  }
}

function inodeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? 0
}
