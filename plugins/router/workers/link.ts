import { connect, type Socket } from 'node:net'
import type { Clock } from '../../../src/clock.ts'
import type { Logger } from '../../../src/log.ts'
import type { RouteChange } from '../contract.ts'
import { readLines, writeLine } from './lines.ts'
import {
  type EdgeFigures,
  type EdgeStatus,
  type Misrouted,
  type Orders,
  protocol,
  type ToControlPlane,
  type ToSupervisor,
} from './messages.ts'
import { stateMessages } from './route-table.ts'

export interface LinkOptions {
  edgeSocket: string
  version: string
  clock: Clock
  log: Logger
  orders(): Orders
  /** The changes that make the present routes of none. */
  routes(): readonly RouteChange[]
  /** Called each time that no edge answers: starts one, or leaves that to others. */
  absent(): void
  misrouted(event: Misrouted): void
  /** Figures that came when they were no longer waited for. */
  late(figures: EdgeFigures): void
}

export type EdgeFailure = Extract<ToControlPlane, { type: 'refused' | 'failed' }>

/** An edge that does not serve as ordered. */
export class EdgeRefused extends Error {
  readonly failure: EdgeFailure

  constructor(failure: EdgeFailure) {
    super(failure.words)
    this.failure = failure
  }
}

const shortestPauseMs = 25
const longestPauseMs = 1000
const answerMs = 5000

/** The control plane's connection to its edge. It is made again whenever it is lost; the edge then gets the whole state. */
export class EdgeLink {
  readonly #options: LinkOptions
  readonly #questions = new Map<number, (figures: EdgeFigures | null) => void>()
  readonly #closing = new AbortController()
  #socket: Socket | null = null
  #pid = 0
  #seq = 0
  #question = 0
  #failure: EdgeFailure | null = null
  #status: EdgeStatus | null = null
  #served: { resolve(ports: readonly number[]): void; reject(error: Error): void } | null = null
  #ended: Promise<void> = Promise.resolve()
  #lostAt: number | null = null

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get status(): EdgeStatus | null {
    return this.#socket ? this.#status : null
  }

  /** Why the edge does not serve as ordered; null when it does. */
  get failure(): EdgeFailure | null {
    return this.#failure
  }

  /** How long there has been no edge, in milliseconds; null when it is connected. */
  get lostMs(): number | null {
    return this.#lostAt === null ? null : this.#options.clock.monotonic() - this.#lostAt
  }

  /** Keeps the connection from now on. Resolves with the edge's ports when it serves as ordered; rejects with EdgeRefused. */
  open(): Promise<readonly number[]> {
    this.#lostAt = this.#options.clock.monotonic()
    const served = new Promise<readonly number[]>((resolve, reject) => {
      this.#served = { resolve, reject }
    })
    this.#ended = this.#keepConnected()
    return served
  }

  change(change: RouteChange): void {
    this.#seq++
    this.#say({ type: 'change', seq: this.#seq, change })
  }

  /** Sends the whole state again: each worker then has what it should have. */
  repair(): void {
    this.#sendRoutes()
  }

  /** Requests for the control plane wait from now on. */
  leave(): void {
    this.#say({ type: 'control', here: false })
  }

  /** What the workers counted, with fingerprints of their routes if `compare`; null when there is no answer. */
  async figures(compare: boolean): Promise<EdgeFigures | null> {
    const id = ++this.#question
    if (!this.#socket) return null
    const answered = new AbortController()
    const figures = await new Promise<EdgeFigures | null>(resolve => {
      this.#questions.set(id, resolve)
      this.#say({ type: 'ask', id, compare })
      void this.#options.clock.sleep(answerMs, answered.signal).then(() => resolve(null))
    })
    answered.abort()
    this.#questions.delete(id)
    return figures
  }

  /** Lets go of the edge. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#socket?.end()
    await this.#ended
  }

  /** Asks the edge to end, and resolves when it has, or after `withinMs`: one that hangs is named in the log, and left. */
  async end(withinMs: number): Promise<void> {
    const socket = this.#socket
    if (!socket) return this.close()
    this.#closing.abort()
    const closed = new AbortController()
    socket.once('close', () => closed.abort())
    this.#say({ type: 'end' })
    await this.#options.clock.sleep(withinMs, closed.signal)
    if (!closed.signal.aborted) {
      this.#options.log.error(
        { pid: this.#pid, withinMs },
        'the edge did not end in time and is left; end it with kill -9',
      )
      socket.destroy()
    }
    await this.#ended
  }

  async #keepConnected(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    let pauseMs = shortestPauseMs
    while (!signal.aborted) {
      const met = await this.#connection()
      this.#lostAt ??= clock.monotonic()
      if (signal.aborted) return
      if (met === 'welcome') pauseMs = shortestPauseMs
      if (met === null) this.#options.absent()
      await clock.sleep(pauseMs, signal)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  /** Resolves when the connection is over, with how the edge met this control plane; null when it did not answer. */
  #connection(): Promise<'welcome' | 'refused' | null> {
    return new Promise(resolve => {
      const { edgeSocket, version } = this.#options
      let met: 'welcome' | 'refused' | null = null
      const socket = connect(edgeSocket)
      socket.on('error', () => socket.destroy())
      socket.on('connect', () => {
        writeLine(socket, { type: 'hello', protocol, version, pid: process.pid } satisfies ToSupervisor)
      })
      readLines<ToControlPlane>(socket, message => {
        met ??= message.type === 'welcome' ? 'welcome' : 'refused'
        this.#received(socket, message)
      })
      socket.on('close', () => {
        if (this.#socket === socket) this.#socket = null
        for (const answer of this.#questions.values()) answer(null)
        resolve(met)
      })
    })
  }

  #received(socket: Socket, message: ToControlPlane): void {
    switch (message.type) {
      case 'welcome':
        this.#socket = socket
        this.#pid = message.pid
        this.#lostAt = null
        this.#say({ type: 'orders', orders: this.#options.orders() })
        this.#sendRoutes()
        this.#say({ type: 'control', here: true })
        break
      case 'serving':
        this.#failure = null
        this.#served?.resolve(message.ports)
        break
      case 'refused':
      case 'failed':
        // It is tried again and again, and fails in the same words.
        if (message.words !== this.#failure?.words)
          this.#options.log.error(
            { reason: message.words },
            'the edge does not serve as this control plane orders',
          )
        this.#failure = message
        this.#served?.reject(new EdgeRefused(message))
        break
      case 'resend':
        this.#sendRoutes()
        break
      case 'misrouted':
        this.#options.misrouted(message.event)
        break
      case 'status':
        this.#status = message.status
        break
      case 'answer': {
        const answer = this.#questions.get(message.id)
        if (answer) answer(message.figures)
        else this.#options.late(message.figures)
        break
      }
      default:
      // A newer edge says more than this version knows.
    }
  }

  #sendRoutes(): void {
    for (const message of stateMessages(this.#options.routes(), this.#seq)) this.#say(message)
  }

  #say(message: ToSupervisor): void {
    if (this.#socket) writeLine(this.#socket, message)
  }
}
