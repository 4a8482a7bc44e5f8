import type { Socket } from 'node:net'
import type { Logger } from '../../../src/log.ts'
import type { EdgeReport } from '../contract.ts'
import { mergeReports } from '../figures/totals.ts'
import { Addresses, type Bound, CannotBind } from './addresses.ts'
import { Crew } from './crew.ts'
import { readLines, writeLine } from './lines.ts'
import {
  type ControlMessage,
  type EdgeStatus,
  type Orders,
  protocol,
  type StateMessage,
  type ToControlPlane,
  type ToSupervisor,
} from './messages.ts'
import { Orphans } from './orphan.ts'
import { type RouteTable, StateReader, stateMessages } from './route-table.ts'
import type { StateFile } from './state-file.ts'

/** Between two attempts to follow the same orders. */
const shortestPauseMs = 1000
const longestPauseMs = 30_000

/**
 * Holds the addresses where the edge listens, and keeps workers that accept from them. It never accepts by itself: connections that
 * arrive while workers change wait in the kernel. It follows one control plane, and goes on with the last state without one.
 */
export class Supervisor {
  readonly #log: Logger
  readonly #version: string
  readonly #file: StateFile
  readonly #reader = new StateReader()
  readonly #crews = new Set<Crew>()
  readonly #orphans = new Orphans()
  readonly #addresses = new Addresses(this.#orphans)
  #crew: Crew | null = null
  #routes: RouteTable | null = null
  #seq = 0
  /** Orders that wait for their state. */
  #ordered: Orders | null = null
  /** Orders that could not be followed yet. */
  #owed: { orders: Orders; anew: boolean; timer: NodeJS.Timeout } | null = null
  /** How the last attempt failed. */
  #failure: { words: string; pauseMs: number } | null = null
  #following: Promise<void> = Promise.resolve()
  /** It ends: no control plane and no orders are taken any more. */
  #stopping = false
  #controlPlane: { socket: Socket; pid: number } | null = null
  #controlHere = false
  #crashes = 0
  #lastCrash: string | null = null
  /** What workers counted that ended since the control plane asked. */
  #ended: EdgeReport | null = null

  constructor(options: { log: Logger; version: string; file: StateFile }) {
    this.#log = options.log
    this.#version = options.version
    this.#file = options.file
  }

  /** Serves the last state that was kept, if there is one. */
  async resume(): Promise<void> {
    const kept = this.#file.read()
    if (!kept) return
    this.#routes = kept.routes
    await this.#follow(kept.orders)
  }

  /** Takes a connection of a control plane. `end` is called when it asks the edge to end. */
  connected(socket: Socket, end: () => void): void {
    socket.on('error', () => socket.destroy())
    let said = false
    readLines<ToSupervisor>(socket, message => {
      if (message.type === 'end') end()
      else if (said) this.#received(message)
      else if (message.type === 'orphan') {
        this.#orphans.add(socket)
        if (this.#crew) this.#orphans.relieve()
      } else if (message.type === 'hello' && !this.#stopping) {
        said = this.#welcome(socket, message)
        if (!said) socket.end()
      } else socket.destroy()
    })
    socket.on('close', () => {
      if (this.#controlPlane?.socket !== socket) return
      this.#controlPlane = null
      this.#send({ type: 'control', here: false })
      this.#log.info('the control plane has gone; its routes stay')
    })
  }

  /** Fresh workers of the same program take over. */
  async renew(): Promise<void> {
    const orders = this.#owed?.orders ?? this.#crew?.orders
    if (orders) await this.#follow(orders, true)
  }

  /** Ends every worker, after its requests. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#forgetOwed()
    await this.#following
    this.#file.flush()
    this.#orphans.relieve()
    await Promise.all([...this.#crews].map(crew => crew.drain(false)))
    this.#addresses.close()
    this.#controlPlane?.socket.end()
  }

  #welcome(socket: Socket, hello: Extract<ToSupervisor, { type: 'hello' }>): boolean {
    const refuse = (reason: 'taken' | 'protocol', words: string) => {
      writeLine(socket, { type: 'refused', reason, words } satisfies ToControlPlane)
      return false
    }
    if (this.#controlPlane)
      return refuse('taken', `The edge follows another control plane (process ${this.#controlPlane.pid}).`)
    if (hello.protocol !== protocol)
      return refuse('protocol', `The edge is of Longhouse ${this.#version} and must be restarted.`)
    this.#controlPlane = { socket, pid: hello.pid }
    this.#tell({ type: 'welcome', protocol, version: this.#version, pid: process.pid })
    this.#tell({ type: 'status', status: this.#status })
    return true
  }

  #received(message: ToSupervisor): void {
    switch (message.type) {
      case 'orders':
        this.#ordered = message.orders
        break
      case 'begin':
      case 'routes':
      case 'complete':
        this.#takeState(message)
        break
      case 'change':
        if (!this.#routes || message.seq !== this.#seq + 1) {
          this.#tell({ type: 'resend' })
          break
        }
        this.#seq = message.seq
        this.#routes.apply(message.change)
        this.#broadcast(message)
        this.#keep()
        break
      case 'control':
        this.#send({ type: 'control', here: message.here })
        break
      case 'ask':
        void this.#answer(message)
        break
      default:
      // A newer control plane says more than this version knows.
    }
  }

  #takeState(message: StateMessage): void {
    const routes = this.#reader.take(message)
    if (!routes || message.type !== 'complete') return
    this.#routes = routes
    this.#seq = message.seq
    // Each worker compares by itself, so that one that went astray is put right.
    for (const each of stateMessages(routes.changes(), message.seq)) this.#broadcast(each)
    this.#keep()
    const orders = this.#ordered
    this.#ordered = null
    if (orders) void this.#follow(orders)
    else this.#tryOwed()
  }

  #follow(orders: Orders, anew = false): Promise<void> {
    // The latest orders win, whether former ones fail before or after.
    this.#forgetOwed()
    this.#following = this.#following.then(async () => {
      if (this.#stopping) return
      this.#forgetOwed()
      try {
        if (anew || JSON.stringify(orders) !== JSON.stringify(this.#crew?.orders))
          await this.#takeOver(orders)
        this.#failure = null
        this.#tell({ type: 'serving', ports: this.#addresses.ports })
      } catch (error) {
        const { message: words } = error as Error
        const former = this.#failure
        if (words !== former?.words) this.#log.error({ reason: words }, 'the edge cannot do what was ordered')
        const pauseMs = former ? Math.min(former.pauseMs * 2, longestPauseMs) : shortestPauseMs
        this.#failure = { words, pauseMs }
        if (!this.#stopping) this.#owed = { orders, anew, timer: setTimeout(() => this.#tryOwed(), pauseMs) }
        const which = error instanceof CannotBind ? { at: error.at, code: error.code } : {}
        this.#tell({ type: 'failed', words, ...which })
      }
    })
    return this.#following
  }

  /** The cause may be over: a port is free again, a file is back. */
  #tryOwed(): void {
    if (this.#owed) void this.#follow(this.#owed.orders, this.#owed.anew)
  }

  #forgetOwed(): void {
    clearTimeout(this.#owed?.timer)
    this.#owed = null
  }

  /** Starts workers with these orders; when they serve, the others drain. When they cannot, the others go on. */
  async #takeOver(orders: Orders): Promise<void> {
    const former = this.#crew
    const claim = await this.#addresses.claim(orders.addresses)
    const crew = this.#crewFor(orders, claim.bound)
    try {
      await crew.start()
    } catch (error) {
      this.#dismiss(crew, () => crew.kill())
      claim.drop()
      throw error
    }
    claim.keep()
    this.#crew = crew
    this.#orphans.relieve()
    this.#keep()
    if (former) this.#dismiss(former, () => former.drain(true))
    this.#log.info({ build: orders.program.build, workers: orders.workers }, 'workers of the edge serve')
  }

  #crewFor(orders: Orders, bound: readonly Bound[]): Crew {
    const crew = new Crew({
      orders,
      bound,
      log: this.#log,
      state: () => [
        { type: 'control', here: this.#controlHere } satisfies ControlMessage,
        ...stateMessages(this.#routes?.changes() ?? [], this.#seq),
      ],
      received: message => {
        if (message.type === 'misrouted') this.#tell(message)
        else this.#addEnded(message.figures.report)
      },
      changed: crash => {
        if (crash !== undefined) {
          this.#crashes++
          this.#lastCrash = crash
        }
        this.#tell({ type: 'status', status: this.#status })
      },
    })
    this.#crews.add(crew)
    return crew
  }

  #dismiss(crew: Crew, end: () => unknown): void {
    void Promise.resolve(end()).then(() => this.#crews.delete(crew))
  }

  async #answer({ id, compare }: Extract<ToSupervisor, { type: 'ask' }>): Promise<void> {
    const asker = this.#controlPlane
    const workers = (await Promise.all([...this.#crews].map(crew => crew.ask(id, compare)))).flat()
    // What was counted is for the next control plane when this one has gone.
    if (this.#controlPlane !== asker) {
      for (const { report } of workers) this.#addEnded(report)
      return
    }
    const ended = this.#ended
    this.#ended = null
    this.#tell({ type: 'answer', id, figures: { workers, ended } })
  }

  #addEnded(report: EdgeReport): void {
    const over = {
      ...report,
      held: 0,
      instances: report.instances.map(each => ({ ...each, inProgress: 0 })),
    }
    this.#ended = this.#ended ? mergeReports([this.#ended, over]) : over
  }

  get #status(): EdgeStatus {
    const workers = [...this.#crews].flatMap(crew => crew.status)
    return { workers, crashes: this.#crashes, lastCrash: this.#lastCrash }
  }

  #keep(): void {
    if (this.#crew && this.#routes) this.#file.keep({ orders: this.#crew.orders, routes: this.#routes })
  }

  #send(message: ControlMessage): void {
    this.#controlHere = message.here
    this.#broadcast(message)
  }

  #broadcast(message: Parameters<Crew['send']>[0]): void {
    for (const crew of this.#crews) crew.send(message)
  }

  #tell(message: ToControlPlane): void {
    if (this.#controlPlane) writeLine(this.#controlPlane.socket, message)
  }
}
