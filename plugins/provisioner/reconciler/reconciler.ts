import { actingAs } from '../../../src/acting.ts'
import { giveWay } from '../../../src/concurrency.ts'
import type { OperationKind } from '../contract.ts'
import { DriverError, type Observed } from '../driver.ts'
import { setAddress, setStatus } from '../records/fleet.ts'
import { getInstance, instancesOf, unreconciledIds, updateInstance, wanted } from '../records/instance.ts'
import {
  findOperation,
  instancesAtWork,
  isOpen,
  openOperation,
  openOperationOf,
  openOperations,
  owedCopyOf,
  owesUndo,
  recentOutcomes,
  reconcilerPrincipal,
  reopenUndo,
} from '../records/operation.ts'
import { planOf } from '../records/plan.ts'
import type { Instance, Operation } from '../schema.ts'
import { settleRestore } from '../volumes/restored.ts'
import { type VolumeSight, volumeFault, volumePath } from '../volumes/volume.ts'
import { Changes } from './changes.ts'
import { decideMove, mayTryNow, outcomesNeeded } from './decision.ts'
import { type Execution, execute } from './execution.ts'

/** Longer than a driver takes to report that its engine does not answer. */
const giveUpLookMs = 15_000
/** Instances that are read and compared in one round of the event loop: after a start, that is all of them. */
const comparedAtOnce = 200

interface Worker {
  operationId: string
  abort: AbortController
  done: Promise<void>
}

/**
 * Brings every instance to its desired state. No other part of the program starts or stops one. Each round
 *
 * 1. starts workers for open operations, one an instance at most; a worker whose operation was superseded ends first,
 * 2. lists the instances that are not what they should be, or not seen to be, and that no operation is open for,
 * 3. decides what to do about each (`decideMove`), looking at containers and volumes where that is needed,
 * 4. opens operations, and writes down what the looks showed, a few to a transaction; then it starts workers for these.
 *
 * Whatever requested a change, and however often the program was killed meanwhile, a later round goes on.
 */
export class Reconciler {
  readonly #execution: Execution
  readonly #workers = new Map<string, Worker>()
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #seen = new Set<string>()
  /** Instances whose container is being inspected: one inspection that hangs delays no other instance. */
  readonly #looking = new Set<string>()
  /** Instances whose operation could not be recorded. The next round retries them. */
  readonly #brokenOff = new Set<string>()
  readonly #changes: Changes
  /** Whether the last round left changes for the next. */
  #more = false
  #began = false
  #stopped = false

  constructor(execution: Execution) {
    this.#execution = execution
    this.#changes = new Changes(execution, () => this.#work())
  }

  /** Starts requested work now, without inspecting any instance. Does nothing before the first round. */
  act(): void {
    if (!this.#began) return
    this.#brokenOff.clear()
    this.#work()
  }

  /** Runs one round. It starts work and does not wait for it; `waitFor` does. */
  async runOnce(): Promise<void> {
    const { db } = this.#execution.fleet
    this.#began = true
    this.act()
    const atWork = instancesAtWork(db)
    let begunAt = performance.now()
    const idle = unreconciledIds(db, id => this.#seen.has(id)).filter(
      id => !this.#workers.has(id) && !atWork.has(id),
    )
    this.#changes.beginRound()
    const looks: Promise<void>[] = []
    for (let from = 0; from < idle.length && this.#changes.hasRoom; from += comparedAtOnce) {
      if (from > 0) await giveWay(begunAt)
      begunAt = performance.now()
      for (const instance of instancesOf(db, idle.slice(from, from + comparedAtOnce)))
        looks.push(this.#compare(instance))
    }
    await Promise.all(looks)
    await this.#changes.carryOut()
    this.#more = !this.#changes.hasRoom
  }

  /** Compares an instance with its record again, although it was seen to run as recorded. */
  recheck(instanceId: string): void {
    this.#seen.delete(instanceId)
    const { db } = this.#execution.fleet
    if (this.#stopped || this.#workers.has(instanceId) || openOperationOf(db, instanceId)) return
    this.#changes.makeRoom()
    void this.#compare(getInstance(db, instanceId)).then(() => this.#work())
  }

  /** Resolves when an operation is over, or after `withinMs`. */
  async waitFor(operationId: string, withinMs: number): Promise<void> {
    const over = new AbortController()
    const wake = () => over.abort()
    const waiting = this.#waiting.get(operationId) ?? new Set()
    this.#waiting.set(operationId, waiting.add(wake))
    const operation = findOperation(this.#execution.fleet.db, operationId)
    if (operation?.status === 'pending' || operation?.status === 'running') {
      await this.#execution.fleet.clock.sleep(withinMs, over.signal)
    }
    waiting.delete(wake)
    if (waiting.size === 0) this.#waiting.delete(operationId)
  }

  /** Wakes callers that wait for an operation that has ended or was superseded. */
  #wake(): void {
    for (const [operationId, waiting] of this.#waiting) {
      if (!isOpen(this.#execution.fleet.db, operationId)) for (const wake of waiting) wake()
    }
  }

  /** Stops the workers. Open operations stay open: the next start resumes them. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#changes.stop()
    const workers = [...this.#workers.values()]
    for (const worker of workers) worker.abort.abort()
    await Promise.all(workers.map(worker => worker.done))
  }

  /** Gives every open operation a worker. A worker whose operation was superseded is aborted first. */
  #work(): void {
    if (this.#stopped) return
    const { db } = this.#execution.fleet
    for (const [instanceId, worker] of this.#workers) {
      const current = openOperationOf(db, instanceId)
      if (current && current.id !== worker.operationId) worker.abort.abort()
    }
    const free = this.#execution.settings.atOnce - this.#workers.size
    const passedOver = this.#workers.size + this.#brokenOff.size
    for (const operation of free > 0 ? openOperations(db, passedOver + free) : []) {
      const { instanceId } = operation
      if (this.#brokenOff.has(instanceId) || this.#workers.has(instanceId)) continue
      if (this.#workers.size < this.#execution.settings.atOnce) this.#start(operation)
    }
    this.#wake()
  }

  #start(operation: Operation): void {
    const { instanceId } = operation
    const abort = new AbortController()
    const done = execute(this.#execution, operation, abort.signal)
      .catch(error => {
        this.#execution.log.error({ err: error, operation: operation.id }, 'operation broke off')
        this.#brokenOff.add(instanceId)
      })
      .then(() => {
        this.#workers.delete(instanceId)
        this.#seen.add(instanceId)
        this.#work()
        if (this.#more && !this.#stopped && this.#workers.size < this.#execution.settings.atOnce) this.#goOn()
      })
    this.#workers.set(instanceId, { operationId: operation.id, abort, done })
  }

  /** Runs the next round now: workers are free, and the last round left changes. */
  #goOn(): void {
    this.#more = false
    this.runOnce().catch(error => this.#execution.log.error({ err: error }, 'a round broke off'))
  }

  /** Does what brings an instance from what it is to what it should be, if there is a difference. */
  async #compare(instance: Instance): Promise<void> {
    if (!this.#changes.hasRoom) return
    const move = decideMove(instance, {
      confirmed: this.#seen.has(instance.id),
      mayTry: () => this.#mayTry(instance),
    })
    switch (move) {
      case 'nothing':
        return
      case 'bring up':
        return await this.#bringUp(instance)
      case 'inspect':
        return await this.#look(instance)
      case 'locate':
        return await this.#find(instance)
      default:
        this.#changes.add(() => this.#open(instance, move))
    }
  }

  /** Finds out where an instance listens whose operation was interrupted: it may run all the same. */
  async #find(instance: Instance): Promise<void> {
    const { fleet, log } = this.#execution
    if (this.#looking.has(instance.id)) return
    this.#looking.add(instance.id)
    try {
      const { address } = await this.#inspect(instance)
      if (address && this.#isIdle(instance)) setAddress(fleet, instance.id, address)
    } catch (error) {
      log.debug({ err: error, subdomain: instance.subdomain }, 'could not look at the container')
    } finally {
      this.#looking.delete(instance.id)
    }
  }

  /** Looks whether a container that should run does, and where. */
  async #look(instance: Instance): Promise<void> {
    const { fleet, log } = this.#execution
    if (this.#looking.has(instance.id)) return
    this.#looking.add(instance.id)
    try {
      const { address } = await this.#inspect(instance)
      if ((!address && !this.#changes.hasRoom) || !this.#isIdle(instance)) return
      if (!address) {
        // It was running whatever failed before: a failed upgrade does not keep it from being started again.
        const mayTry = instance.status === 'running' || this.#mayTry(instance)
        if (this.#changes.hasRoom && mayTry) await this.#bringUp(instance)
        return
      }
      this.#seen.add(instance.id)
      if (address.host !== instance.host || address.port !== instance.port)
        setAddress(fleet, instance.id, address)
      // Neither running nor unhealthy, and no operation: the next health check decides.
      if (instance.status !== 'running' && instance.status !== 'unhealthy')
        setStatus(fleet, instance.id, 'unhealthy')
    } catch (error) {
      log.warn({ err: error, subdomain: instance.subdomain }, 'could not look at the container')
    } finally {
      this.#looking.delete(instance.id)
    }
  }

  /** Returns false when another state was requested for an instance, or its status changed, while it was inspected. */
  #isIdle({ id, status }: Instance): boolean {
    const { db } = this.#execution.fleet
    if (this.#stopped || this.#workers.has(id) || openOperationOf(db, id)) return false
    const now = getInstance(db, id)
    return wanted(now) === 'running' && now.status === status
  }

  /** Asks the driver, with a deadline. A late answer is ignored. */
  async #inspect(instance: Instance): Promise<Observed> {
    const { driver, clock } = this.#execution.fleet
    const answered = new AbortController()
    const late = clock.sleep(giveUpLookMs, answered.signal).then(() => null)
    try {
      const seen = await Promise.race([driver.inspect(instance), late])
      if (seen) return seen
      throw new DriverError(`the driver gave no answer within ${giveUpLookMs / 1000} s`, { permanent: false })
    } finally {
      answered.abort()
    }
  }

  /** Room is reserved before the look at the volume: thousands of looks end together, and each would find room. */
  async #bringUp(instance: Instance): Promise<void> {
    if (!this.#changes.reserve()) return
    // Its volume may be between two places: only what puts it back may touch it.
    if (this.#owed(instance)) this.#changes.addReserved(() => this.#open(instance, 'start'))
    else if (instance.pendingCopyId !== null)
      this.#changes.addReserved(() => this.#open(instance, 'restore-new'))
    else if (await this.#hasVolume(instance)) this.#changes.addReserved(() => this.#open(instance, 'start'))
    else this.#changes.giveBack()
  }

  /** Returns false when it may not start on what stands in its volume's place; its record then says why. */
  async #hasVolume(instance: Instance): Promise<boolean> {
    const { fleet, log } = this.#execution
    const path = volumePath(fleet.site.dataRoot, instance.subdomain)
    let sight: VolumeSight
    try {
      sight = await fleet.lookAtVolume(path)
      if (sight.kind === 'absent' && (await settleRestore(fleet.site.dataRoot, instance)))
        sight = await fleet.lookAtVolume(path)
    } catch (error) {
      log.warn({ err: error, subdomain: instance.subdomain }, 'could not look at the volume')
      return false
    }
    const fault = volumeFault(instance, path, sight)
    if (!fault) {
      // Its own volume is back: the permit for another one ends.
      if (instance.volumePermit !== null && sight.kind === 'marked' && sight.id === instance.id)
        this.#changes.add(() => updateInstance(fleet.db, instance.id, { volumePermit: null }))
      return true
    }
    if (instance.volumeFault === fault.kind && instance.statusReason === fault.words) return false
    log.error({ subdomain: instance.subdomain, fault: fault.words }, 'an instance is kept from starting')
    const { kind, words } = fault
    this.#changes.add(() => {
      const { status, volumePermit } = getInstance(fleet.db, instance.id)
      // Since it was looked at, another state may have been requested, or the operator may have permitted more.
      if (openOperationOf(fleet.db, instance.id) || status !== instance.status) return
      if (volumePermit !== instance.volumePermit) return
      setStatus(fleet, instance.id, 'failed', words)
      updateInstance(fleet.db, instance.id, { volumeFault: kind })
    })
    return false
  }

  #mayTry({ id }: Instance): boolean {
    const { db, clock } = this.#execution.fleet
    return mayTryNow(recentOutcomes(db, id, outcomesNeeded), clock.now())
  }

  #open(instance: Instance, kind: OperationKind): void {
    const { fleet, log } = this.#execution
    // Since it was looked at, another state may have been requested.
    const now = getInstance(fleet.db, instance.id)
    if (now.status !== instance.status || wanted(now) !== wanted(instance)) return
    if (openOperationOf(fleet.db, instance.id)) return
    log.info(
      { subdomain: instance.subdomain, kind, desired: instance.desired, status: instance.status },
      'reconciling',
    )
    const owed = this.#owed(now)
    if (owed && (kind === 'start' || kind === 'stop')) {
      reopenUndo(fleet.db, owed)
      return
    }
    const copyId = kind === 'restore-new' ? now.pendingCopyId : null
    const operation = { instanceId: instance.id, kind: this.#again(now, kind), image: null, copyId }
    const plan = planOf(operation.kind, wanted(now))
    actingAs(reconcilerPrincipal, () => openOperation(fleet, operation, fleet.clock.now(), plan))
  }

  /** The last operation of an instance, if what was there before it is still to be put back, and may be now. */
  #owed(instance: Instance): Operation | null {
    const { operationId } = instance
    const last = operationId === null ? null : findOperation(this.#execution.fleet.db, operationId)
    if (!last || last.permanent) return null
    return owesUndo(last, planOf(last.kind, wanted(instance))) ? last : null
  }

  /** The new owner gets nothing before there is a copy: a transfer that failed is repeated, not just the start in it. */
  #again(instance: Instance, kind: OperationKind): OperationKind {
    if (kind !== 'start' && kind !== 'stop') return kind
    return owedCopyOf(this.#execution.fleet, instance) ? 'transfer' : kind
  }
}
