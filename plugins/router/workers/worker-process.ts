import { type ChildProcess, spawn } from 'node:child_process'
import type { FromWorker, ToWorker, WorkerProgram, WorkerStatus } from './messages.ts'

/** A worker reads no settings from its environment, and gets no secrets. */
export const passedOn = ['PATH', 'HOME', 'TZ', 'NODE_ENV', 'LOG_LEVEL', 'NODE_COMPILE_CACHE']

interface Owner {
  received(worker: WorkerProcess, message: FromWorker): void
  /** `words` say how it ended; null when it was asked to. */
  ended(worker: WorkerProcess, words: string | null): void
}

/** One process that accepts connections on inherited listeners. */
export class WorkerProcess {
  readonly startedAt = performance.now()
  readonly #program: WorkerProgram
  readonly #child: ChildProcess
  #state: WorkerStatus['state'] = 'starting'

  /** `listeners` are the file descriptors of bound sockets; the worker finds them from 4 on. */
  constructor(program: WorkerProgram, listeners: readonly number[], owner: Owner) {
    this.#program = program
    this.#child = spawn(process.execPath, [program.path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...listeners],
      env: Object.fromEntries(passedOn.map(name => [name, process.env[name]])),
      // A signal from the terminal is for the supervisor, which drains.
      detached: true,
    })
    let over = false
    const end = (words: string) => {
      if (over) return
      over = true
      owner.ended(this, this.#state === 'draining' ? null : words)
    }
    this.#child.on('message', (message: FromWorker) => {
      if (message.type === 'serving' && this.#state === 'starting') this.#state = 'serving'
      owner.received(this, message)
    })
    this.#child.on('error', error => {
      if (this.#child.pid === undefined) end(`could not be started: ${error.message}`)
    })
    this.#child.on('exit', (code, signal) => {
      end(signal ? `was ended by ${signal}` : `ended with code ${code}`)
    })
  }

  get status(): WorkerStatus {
    return { pid: this.#child.pid ?? 0, build: this.#program.build, state: this.#state }
  }

  send(message: ToWorker): void {
    // One that has just died is replaced when its end is noticed.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  /** Ends it when its connections have ended: see `ToWorker`. */
  drain(handOver: boolean): void {
    this.#state = 'draining'
    this.send({ type: 'drain', handOver })
  }

  kill(): void {
    this.#state = 'draining'
    this.#child.kill('SIGKILL')
  }
}
