import type { Logger } from '../../../src/log.ts'
import { DriverError } from '../driver.ts'
import { type Fleet, markReady, setAddress, setStatus, specOf } from '../records/fleet.ts'
import { getInstance, updateInstance, wanted } from '../records/instance.ts'
import { claimOperation, finishOperation, isOpen, recordStep } from '../records/operation.ts'
import { type Plan, planOf } from '../records/plan.ts'
import { beginRetention } from '../records/removal.ts'
import { settingsDigest } from '../records/settings-digest.ts'
import { ownerOfVolume } from '../records/volume-record.ts'
import type { Instance, Operation } from '../schema.ts'
import { VolumeError } from '../volumes/volume.ts'
import type { HealthWatch } from './health-watch.ts'
import { ChecksFailError, type StepContext, stepRuns } from './steps.ts'

export interface ExecutionSettings {
  /** Operations that are carried out at the same time; the others wait in order. */
  atOnce: number
  stopGraceMs: number
  healthDeadlineMs: number
}

export interface Execution {
  fleet: Fleet
  health: HealthWatch
  settings: ExecutionSettings
  log: Logger
}

/**
 * Carries out one operation, step by step, with a journal. It ends early when the operation is superseded or `signal`
 * aborts; in the second case the operation stays open and the next start resumes it.
 */
export async function execute(
  execution: Execution,
  operation: Operation,
  signal: AbortSignal,
): Promise<void> {
  const { fleet, log } = execution
  const { db, clock } = fleet
  if (!claimOperation(db, operation.id, clock.now())) return
  const instance = getInstance(db, operation.instanceId)
  const plan = planOf(operation.kind, wanted(instance))
  const settings = settingsDigest(fleet)
  const context = stepContext(execution, operation, instance, signal)
  // Pinned after the last step that can fail without harm.
  const pinAfter = plan.steps.findLast(({ name }) => name.startsWith('prepare ') && name !== 'prepare volume')
  let touched = false
  for (const [position, { name, status }] of plan.steps.entries()) {
    if (signal.aborted || !isOpen(db, operation.id)) return
    if (status) {
      setStatus(fleet, operation.instanceId, status)
      touched = true
    }
    recordStep(db, operation.id, position, { status: 'running', startedAt: clock.now() })
    try {
      const detail = await withRetries(execution, signal, () => stepRuns[name](context))
      if (signal.aborted) return
      recordStep(db, operation.id, position, {
        status: 'done',
        detail: detail ?? null,
        finishedAt: clock.now(),
      })
      if (name === 'create container') keepSettings(fleet, operation.instanceId, context.spec, settings)
      const { image, imageId } = context.spec
      const alreadyThere = name === 'prepare image' && isUpgradeToTheSame(operation, instance, imageId)
      if (alreadyThere || name === pinAfter?.name) updateInstance(db, instance.id, { image, imageId })
      if (alreadyThere) {
        end(execution, operation, () =>
          finishOperation(db, operation.id, { status: 'succeeded' }, clock.now()),
        )
        return
      }
    } catch (error) {
      if (signal.aborted) return
      const reason = error instanceof Error ? error.message : String(error)
      const permanent = error instanceof DriverError && error.permanent
      log.error({ err: error, operation: operation.id, kind: operation.kind, step: name }, 'operation failed')
      recordStep(db, operation.id, position, { status: 'failed', detail: reason, finishedAt: clock.now() })
      end(execution, operation, () => {
        finishOperation(
          db,
          operation.id,
          { status: 'failed', error: `${name}: ${reason}`, permanent },
          clock.now(),
        )
        // A failure before anything was touched leaves the instance as it was: an upgrade to a missing image, say.
        if (!touched) return
        const status = error instanceof ChecksFailError ? 'unhealthy' : 'failed'
        setStatus(fleet, operation.instanceId, status, reason)
        if (error instanceof VolumeError)
          updateInstance(db, operation.instanceId, { volumeFault: error.fault })
      })
      return
    }
  }
  end(execution, operation, () => {
    finishOperation(db, operation.id, { status: 'succeeded' }, clock.now())
    recordSuccess(execution, operation, plan)
  })
}

/** Records which settings a container was made with; null when the instance's own changed meanwhile. */
function keepSettings({ db }: Fleet, instanceId: string, made: StepContext['spec'], settings: string): void {
  const { memoryBytes, cpus } = getInstance(db, instanceId)
  const current = memoryBytes === (made.limits?.memoryBytes ?? null) && cpus === (made.limits?.cpus ?? null)
  updateInstance(db, instanceId, { settings: current ? settings : null })
}

/** Whether an upgrade is to the image that the instance already has. Then there is nothing to do. */
function isUpgradeToTheSame({ kind }: Operation, instance: Instance, imageId: string | null): boolean {
  const isStable = ['running', 'unhealthy', 'stopped'].includes(instance.status)
  return kind === 'upgrade' && isStable && imageId !== null && imageId === instance.imageId
}

/** Ends an operation and records what follows from it in one transaction, unless a newer one superseded it. */
function end({ fleet: { db } }: Execution, operation: Operation, change: () => void): void {
  db.transaction(() => {
    if (isOpen(db, operation.id)) change()
  })
}

/** Records what a succeeded operation means for its instance. */
function recordSuccess({ fleet, health }: Execution, operation: Operation, plan: Plan): void {
  const { db, clock } = fleet
  const { instanceId, kind } = operation
  if (plan.end === 'deleted') {
    beginRetention(db, instanceId, clock.now())
    if (kind === 'purge') updateInstance(db, instanceId, { purgedAt: clock.now() })
    health.forget(instanceId)
  }
  if (plan.end === 'running') markReady(fleet, instanceId)
  setStatus(fleet, instanceId, plan.end)
}

function stepContext(
  { fleet, health, settings }: Execution,
  operation: Operation,
  instance: Instance,
  signal: AbortSignal,
): StepContext {
  const { instanceId, kind } = operation
  const brought = kind === 'upgrade' ? { image: operation.image ?? instance.image, imageId: null } : {}
  return {
    spec: specOf(fleet, { ...instance, ...brought }),
    keepsImage: kind !== 'upgrade' && kind !== 'provision',
    dataRoot: fleet.site.dataRoot,
    get volume() {
      return getInstance(fleet.db, instanceId)
    },
    look: fleet.lookAtVolume,
    ownerOf: id => ownerOfVolume(fleet, id),
    driver: fleet.driver,
    router: fleet.router,
    health,
    signal,
    ...settings,
    started: address => {
      setAddress(fleet, instanceId, address)
      fleet.emit('instance-started', { instanceId })
    },
    stopped: () => setAddress(fleet, instanceId, null),
    volumeMarked: () =>
      updateInstance(fleet.db, instanceId, { volumeMarkedAt: fleet.clock.now(), volumePermit: null }),
  }
}

const retryDelaysMs = [500, 1000, 2000, 4000]

/** Retries a step whose failure is transient: an engine that restarts is away for seconds. */
async function withRetries<T>(
  { fleet, log }: Execution,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof DriverError) || !error.transient || signal.aborted) throw error
      log.warn({ err: error }, 'the engine could not do it now; trying again')
      await fleet.clock.sleep(delayMs, signal)
    }
  }
  return await run()
}
