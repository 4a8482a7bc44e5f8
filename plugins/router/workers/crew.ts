import type { Logger } from '../../../src/log.ts'
import type { Bound } from './addresses.ts'
import type { FromWorker, Orders, StateMessage, ToWorker, WorkerFigures, WorkerStatus } from './messages.ts'
import { WorkerProcess } from './worker-process.ts'

export interface CrewOptions {
  orders: Orders
  bound: readonly Bound[]
  log: Logger
  /** What a worker that starts is sent first. */
  state(): Iterable<StateMessage | ToWorker>
  received(message: Extract<FromWorker, { type: 'misrouted' | 'figures' }>): void
  /** The status of a worker changed; `crash` says how one ended that should not have. */
  changed(crash?: string): void
}

/** How long a worker may take until it serves. */
const startMs = 30_000
/** A worker that lived this long did not fail at its start. */
const healthyMs = 10_000
const longestPauseMs = 10_000
const answerMs = 2000
/** Besides the grace period, a worker gets this long to end by itself. */
const spareMs = 10_000

/** What workers were asked, until all have answered or time is up. */
interface Question {
  /** The workers that have not answered. */
  left: Set<WorkerProcess>
  figures: WorkerFigures[]
  done(): void
}

/** The worker has answered, or ended. */
function settle({ left, done }: Question, worker: WorkerProcess): void {
  left.delete(worker)
  if (left.size === 0) done()
}

/** The workers that were started with the same orders. One that ends is replaced. */
export class Crew {
  readonly #options: CrewOptions
  readonly #workers = new Set<WorkerProcess>()
  readonly #questions = new Map<number, Question>()
  readonly #pauses = new Set<NodeJS.Timeout>()
  /** Workers in a row that ended soon after their start. */
  #early = 0
  #draining = false
  /** The first start: a worker that ends during it is not replaced. */
  #starting: { left: Set<WorkerProcess>; done(): void; failed(error: Error): void } | null = null
  #drained: Promise<void> | null = null
  #emptied: (() => void) | null = null

  constructor(options: CrewOptions) {
    this.#options = options
  }

  get orders(): Orders {
    return this.#options.orders
  }

  get status(): WorkerStatus[] {
    return [...this.#workers].map(({ status }) => status)
  }

  /** Resolves when every worker serves. Rejects, with the reason in words, when one ends before that or takes too long. */
  async start(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((done, failed) => {
        this.#starting = { left: new Set(), done, failed }
        timer = setTimeout(() => failed(new Error('a worker of the edge did not start in time')), startMs)
        for (let i = 0; i < this.#options.orders.workers; i++) this.#starting.left.add(this.#add())
      })
    } finally {
      clearTimeout(timer)
      this.#starting = null
    }
  }

  send(message: ToWorker): void {
    for (const worker of this.#workers) worker.send(message)
  }

  /** What each worker counted. One that does not answer soon is left out: what it counted comes as `figures` when it does. */
  async ask(id: number, compare?: boolean): Promise<WorkerFigures[]> {
    const left = new Set([...this.#workers].filter(({ status }) => status.state !== 'starting'))
    const figures: WorkerFigures[] = []
    if (left.size === 0) return figures
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, answerMs)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#questions.set(id, { left, figures, done })
      for (const worker of left) worker.send({ type: 'ask', id, compare })
    })
    this.#questions.delete(id)
    return figures
  }

  /**
   * Resolves when every worker has ended, which they do within the site's grace period: see `ToWorker`. The first call
   * decides how; a later one waits for the same end.
   */
  drain(handOver: boolean): Promise<void> {
    this.#drained ??= this.#drain(handOver)
    return this.#drained
  }

  async #drain(handOver: boolean): Promise<void> {
    this.#draining = true
    for (const pause of this.#pauses) clearTimeout(pause)
    for (const worker of this.#workers) worker.drain(handOver)
    if (this.#workers.size === 0) return
    const { drainGraceMs } = this.orders.settings.site
    const timer = setTimeout(() => this.kill(), drainGraceMs + spareMs)
    await new Promise<void>(resolve => {
      this.#emptied = resolve
    })
    clearTimeout(timer)
  }

  kill(): void {
    this.#draining = true
    for (const pause of this.#pauses) clearTimeout(pause)
    for (const worker of this.#workers) worker.kill()
  }

  #add(): WorkerProcess {
    const { orders, bound, state } = this.#options
    const worker = new WorkerProcess(
      orders.program,
      bound.map(({ fd }) => fd),
      { received: this.#received, ended: this.#ended },
    )
    this.#workers.add(worker)
    worker.send({ type: 'orders', orders, ports: bound.map(({ port }) => port) })
    for (const message of state()) worker.send(message as ToWorker)
    return worker
  }

  #received = (worker: WorkerProcess, message: FromWorker): void => {
    switch (message.type) {
      case 'serving':
        this.#starting?.left.delete(worker)
        if (this.#starting?.left.size === 0) this.#starting.done()
        this.#options.changed()
        break
      case 'answer': {
        const { id, figures } = message
        const question = this.#questions.get(id)
        question?.figures.push(figures)
        if (question) settle(question, worker)
        else this.#options.received({ type: 'figures', figures })
        break
      }
      case 'misrouted':
      case 'figures':
        this.#options.received(message)
    }
  }

  #ended = (worker: WorkerProcess, words: string | null): void => {
    this.#workers.delete(worker)
    for (const question of this.#questions.values()) settle(question, worker)
    if (this.#draining) {
      if (this.#workers.size === 0) this.#emptied?.()
      this.#options.changed()
      return
    }
    if (this.#starting) {
      this.#starting.failed(new Error(`a worker of the edge ${words}`))
      return
    }
    const soon = performance.now() - worker.startedAt < healthyMs
    this.#early = soon ? this.#early + 1 : 0
    // The first is replaced at once. A worker that cannot live is not started without a pause.
    const pauseMs = this.#early < 2 ? 0 : Math.min(100 * 2 ** (this.#early - 2), longestPauseMs)
    this.#options.log.error({ pid: worker.status.pid, reason: words, pauseMs }, 'a worker of the edge ended')
    const pause = setTimeout(() => {
      this.#pauses.delete(pause)
      this.#add()
      this.#options.changed()
    }, pauseMs)
    this.#pauses.add(pause)
    this.#options.changed(words ?? 'ended')
  }
}
