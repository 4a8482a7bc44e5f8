import { systemClock } from '../../src/clock.ts'
import { keepCompiled } from '../../src/compile-cache.ts'
import { createEntrance, type Entrance } from '../../src/http/entrance/entrance.ts'
import { listenAt } from '../../src/http/listener/server.ts'
import { warnOfUnbelieved } from '../../src/http/listener/unbelieved.ts'
import { createLog, type Logger } from '../../src/log.ts'
import { refusalDocument } from '../../views/router/refusal-page.tsx'
import { labelOf } from '../site/contract.ts'
import { asksUs, Edge } from './edge.ts'
import { readSettings } from './settings.ts'
import { ControlPassage } from './workers/control-passage.ts'
import { edgeFolder } from './workers/edge-folder.ts'
import type { FromWorker, ToWorker, WorkerFigures } from './workers/messages.ts'
import { untilRelieved } from './workers/orphan.ts'
import { RouteTable, StateReader } from './workers/route-table.ts'

/**
 * One worker of the edge: a process that accepts connections on listeners that it inherits from its supervisor, and passes
 * requests to instances and to the control plane. All that it knows comes as messages.
 */
class EdgeWorker {
  readonly #log: Logger
  readonly #edge: Edge
  readonly #passage: ControlPassage
  readonly #entrance: Entrance
  readonly #routes = new RouteTable()
  readonly #reader = new StateReader()
  readonly #edgeSocket: string
  readonly #graceMs: number
  #serving = false

  constructor({ orders, ports }: Extract<ToWorker, { type: 'orders' }>, log: Logger) {
    const settings = readSettings(orders.settings)
    const { site } = settings
    // What people see is where the edge listens.
    const [port = 0, securePort = 0] = ports
    site.port = port
    if (site.tls) site.tls.port = securePort
    const { controlSocket, edgeSocket } = edgeFolder(site.dataRoot)
    this.#log = log
    this.#graceMs = site.drainGraceMs
    this.#edgeSocket = edgeSocket
    this.#passage = new ControlPassage({
      ...{ path: controlSocket, clock: systemClock, settings },
      answeredHere: problem => this.#edge.answeredForControl(problem),
    })
    this.#edge = new Edge({
      ...settings,
      clock: systemClock,
      log,
      misrouted: event => tell({ type: 'misrouted', event }),
    })
    const warn = warnOfUnbelieved(site, log)
    this.#entrance = createEntrance(orders.entrance, {
      log,
      bodyRate: site.bodyRate,
      page: refusalDocument(site.brand),
      connection: (socket, encrypted) => this.#edge.takeConnection(socket, encrypted),
      answer: (request, response) => {
        warn(request)
        if (!this.#edge.intercept(request, response)) this.#passage.pass(request, response)
      },
      expect: (request, response) => {
        if (this.#edge.intercept(request, response)) return
        response.writeContinue()
        this.#passage.pass(request, response)
      },
      upgrade: (request, socket, head) => this.#edge.upgrade(request, socket, head),
      // Load balancers and uptime checks ask by IP address, for which there is no certificate.
      plain: (request, response) => {
        const isOurs = asksUs(request, request.url ?? '')
        if (labelOf(site, request.headers.host ?? '') !== null || !isOurs) return false
        this.#passage.pass(request, response)
        return true
      },
    })
  }

  async received(message: ToWorker): Promise<void> {
    switch (message.type) {
      case 'begin':
      case 'routes':
        this.#reader.take(message)
        break
      case 'complete':
        this.#become(this.#reader.take(message))
        await this.#serve()
        break
      case 'change':
        this.#apply(message.change)
        break
      case 'control':
        this.#passage.here = message.here
        break
      case 'ask':
        tell({ type: 'answer', id: message.id, figures: this.#figures(message.compare) })
        break
      case 'drain':
        await this.drain(message.handOver)
        break
      default:
      // A newer supervisor says more than this version knows.
    }
  }

  /** Without its supervisor, a worker serves until there is another one, and then makes room. */
  async orphaned(): Promise<void> {
    this.#log.warn('the supervisor of the edge has gone; this worker serves until there is another one')
    const found = await untilRelieved(this.#edgeSocket)
    if (!found)
      this.#log.error({ file: this.#edgeSocket }, 'the folder of the edge was deleted; this worker ends')
    await this.drain(found)
  }

  /** Ends when the connections have: see `ToWorker`. */
  async drain(handOver: boolean): Promise<void> {
    if (!this.#serving) process.exit(0)
    // Requests that come until no connection is quiet are answered as ever.
    if (handOver) await this.#entrance.handOver()
    else this.#passage.close()
    const graceMs = this.#graceMs
    await this.#entrance.close({ graceMs, drain: () => this.#edge.drain({ graceMs, hold: handOver }) })
    await this.#edge.stop()
    const leave = () => process.exit(0)
    if (!process.connected) leave()
    process.send?.({ type: 'figures', figures: this.#figures(false) } satisfies FromWorker, leave)
  }

  async #serve(): Promise<void> {
    if (this.#serving) return
    this.#serving = true
    await Promise.all(
      this.#entrance.doors.map(({ server }, i) => listenAt(server, { fd: firstListener + i })),
    )
    tell({ type: 'serving' })
  }

  #become(wanted: RouteTable | null): void {
    if (wanted) for (const change of this.#routes.changesTo(wanted)) this.#apply(change)
  }

  #apply(change: Parameters<Edge['apply']>[0]): void {
    this.#routes.apply(change)
    this.#edge.apply(change)
  }

  #figures(compare = true): WorkerFigures {
    const report = this.#edge.report()
    return {
      pid: process.pid,
      ...(compare && { fingerprint: this.#routes.fingerprint() }),
      certificateFaults: this.#entrance.certificateFaults(),
      report: { ...report, held: report.held + this.#passage.size },
    }
  }
}

/** After the standard streams and the channel to the supervisor. */
const firstListener = 4

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message, () => undefined)
}

const log = await createLog('longhouse-edge-worker', { level: process.env.LOG_LEVEL })
let worker: EdgeWorker | undefined
keepCompiled()
/** Its supervisor starts another one. */
function fatal(error: unknown): never {
  log.fatal({ err: error }, 'a worker of the edge cannot go on')
  process.exit(1)
}
process.on('message', (message: ToWorker) => {
  try {
    if (message.type === 'orders') worker ??= new EdgeWorker(message, log)
    else worker?.received(message).catch(fatal)
  } catch (error) {
    fatal(error)
  }
})
process.on('disconnect', () => {
  if (worker) worker.orphaned().catch(fatal)
  else process.exit(1)
})
