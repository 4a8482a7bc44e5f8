import type { Logger } from '../../../src/log.ts'
import type { InstanceStatus } from '../contract.ts'
import { DriverError } from '../driver.ts'
import { type Fleet, isOther, markReady, setStatus } from '../records/fleet.ts'
import { getInstance, updateInstance, wanted } from '../records/instance.ts'
import {
  announceEnd,
  beginUndo,
  claimOperation,
  finishOperation,
  isOpen,
  recordStep,
  withFailedUndo,
} from '../records/operation.ts'
import { pinImage, removeRollback } from '../records/pinned-image.ts'
import { type Plan, pinsAfter, planOf, type StepName } from '../records/plan.ts'
import { beginRetention } from '../records/removal.ts'
import { settingsDigest } from '../records/settings-digest.ts'
import type { Instance, Operation } from '../schema.ts'
import { forgetVariables } from '../variables/variables.ts'
import { VolumeError } from '../volumes/volume.ts'
import type { HealthWatch } from './health-watch.ts'
import { clearLeftData } from './left-data.ts'
import { sameLimits } from './limits.ts'
import { type StepContext, type StepRuns, stepContext } from './step-context.ts'
import { ChecksFailError } from './steps.ts'

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
  runs: StepRuns
}

/**
 * Carries out one operation, step by step, with a journal:
 *
 * 1. Carry out the steps of its plan. When all are done, it has succeeded.
 * 2. When one fails, and the plan says how to undo what was done until then, record why, and carry out the steps of that.
 * 3. Record what became of the instance. It has failed even if everything was undone. If undoing failed for a reason that may pass,
 *    the reconciler opens the operation again (`owesUndo`), and it begins with step 2.
 *
 * It ends early when the operation is superseded or `signal` aborts; in the second case the operation stays open, and the next
 * start resumes it: from the beginning of its plan, or of its undoing if that had begun.
 */
export async function execute(
  execution: Execution,
  operation: Operation,
  signal: AbortSignal,
): Promise<void> {
  const { fleet } = execution
  const { db, clock } = fleet
  const claimed = db.transaction(() => {
    if (!claimOperation(db, operation.id, clock.now())) return null
    const instance = getInstance(db, operation.instanceId)
    const plan = planOf(operation.kind, wanted(instance))
    // What it did before it was interrupted is undone first, if that had begun.
    const isUndoing = operation.error !== null
    const [steps, first] = isUndoing ? [plan.undo?.steps ?? [], plan.steps.length] : [plan.steps, 0]
    return { instance, plan, begun: beginNext(execution, operation, steps[0], first) ? first : null }
  })
  if (!claimed) return
  const { instance, plan, begun } = claimed
  const work: Work = {
    ...{ execution, operation, instance, signal, begun },
    context: stepContext(execution, operation, instance, signal),
    settings: settingsDigest(fleet),
    variables: fleet.variables(instance.id).digest,
    pinAfter: pinsAfter(plan),
    touched: false,
  }
  if (operation.error !== null) {
    await undo(work, plan, operation.error)
    return
  }
  const outcome = await carryOut(work, plan.steps, 0, ended =>
    end(execution, operation, () => {
      finishOperation(db, operation.id, { status: 'succeeded' }, clock.now())
      if (ended === 'done') recordSuccess(execution, operation, plan)
      if (operation.kind === 'rollback') removeRollback(db, operation.instanceId)
    }),
  )
  if (outcome === 'ended') return
  if (outcome === 'done' || outcome === 'already there') {
    await clearLeft(execution, operation)
    return
  }
  const error = `${outcome.step}: ${outcome.reason}`
  if (isUndone(plan, outcome.position)) {
    beginUndo(
      db,
      operation.id,
      error,
      plan.steps.length,
      (plan.undo?.steps ?? []).map(({ name }) => name),
    )
    await undo(work, plan, error)
  } else
    end(execution, operation, () => {
      finishOperation(
        db,
        operation.id,
        // An instance that was not touched can still be started, even if the change itself can never succeed.
        { status: 'failed', error, permanent: outcome.permanent && work.touched },
        clock.now(),
      )
      // A failure before anything was touched leaves the instance as it was: an upgrade to a missing image, say.
      if (work.touched) recordFailure(execution, operation, outcome)
    })
}

interface Work {
  execution: Execution
  operation: Operation
  instance: Instance
  context: StepContext
  signal: AbortSignal
  /** The digest of the settings that a container is made with now. */
  settings: string
  /** The same of the variables that the operator set for it. */
  variables: string | null
  pinAfter: StepName | null
  /** The position of the step whose beginning is recorded already; null when that of the next one is not. */
  begun: number | null
  /** Whether the instance's status was changed. */
  touched: boolean
}

interface Failure {
  step: StepName
  position: number
  error: unknown
  reason: string
  permanent: boolean
}

/** Whether the failure of the step at this position is undone. */
function isUndone({ steps, undo }: Plan, position: number): boolean {
  const names = steps.map(({ name }) => name)
  return undo !== undefined && names.indexOf(undo.from) <= position && position <= names.indexOf(undo.to)
}

/** Undoes what a failed operation did, and ends it. */
async function undo(work: Work, plan: Plan, error: string): Promise<void> {
  const { execution, operation, context } = work
  const { db, clock } = execution.fleet
  context.undoing = true
  const outcome = await carryOut(work, plan.undo?.steps ?? [], plan.steps.length, () =>
    end(execution, operation, () => {
      const words = `${error}\n${plan.undo?.words}`
      finishOperation(db, operation.id, { status: 'failed', error: words, permanent: false }, clock.now())
      recordSuccess(execution, operation, plan)
    }),
  )
  if (outcome === 'ended') return
  if (outcome !== 'done' && outcome !== 'already there')
    end(execution, operation, () => {
      finishOperation(
        db,
        operation.id,
        { status: 'failed', error: withFailedUndo(error, outcome), permanent: outcome.permanent },
        clock.now(),
      )
      recordFailure(execution, operation, outcome)
    })
  await clearLeft(execution, operation)
}

/** Deletes what the operation needed to be resumed. What cannot be deleted now is deleted later. */
async function clearLeft({ fleet, log }: Execution, { instanceId }: Operation): Promise<void> {
  await clearLeftData(fleet, instanceId).catch(error =>
    log.warn({ err: error, instanceId }, 'data that an operation left could not be deleted yet'),
  )
}

/**
 * Carries out steps, the first of which has the position `first` in the journal. That a step is done and that the next one begins
 * is one transaction where nothing comes between, and so is that the last one is done and what `finish` records: each waits for
 * the disk, and a person waits for the instance.
 */
async function carryOut(
  work: Work,
  steps: Plan['steps'],
  first: number,
  finish: (outcome: 'done' | 'already there') => void,
): Promise<'done' | 'already there' | 'ended' | Failure> {
  const { execution, operation, context, signal } = work
  const { fleet, log } = execution
  const { db, clock } = fleet
  for (const [index, { name, status }] of steps.entries()) {
    const position = first + index
    if (signal.aborted || !isOpen(db, operation.id)) return 'ended'
    if (status) {
      setStatus(fleet, operation.instanceId, status)
      work.touched = true
    }
    if (work.begun !== position) beginStep(execution, operation, position)
    work.begun = null
    let detail: string | undefined
    try {
      detail = await withRetries(execution, signal, () => execution.runs[name](context))
    } catch (error) {
      if (signal.aborted) return 'ended'
      const reason = error instanceof Error ? error.message : String(error)
      log.error({ err: error, operation: operation.id, kind: operation.kind, step: name }, 'operation failed')
      recordStep(db, operation.id, position, { status: 'failed', detail: reason, finishedAt: clock.now() })
      const permanent = error instanceof DriverError && error.permanent
      return { step: name, position, error, reason, permanent }
    }
    const next = steps[index + 1]
    const outcome = db.transaction(() => {
      keepMark(work, name)
      if (signal.aborted) return 'ended'
      recordStep(db, operation.id, position, {
        status: 'done',
        detail: detail ?? null,
        finishedAt: clock.now(),
      })
      const ended = pin(work, name) ? 'already there' : next ? null : 'done'
      if (ended) finish(ended)
      else if (beginNext(execution, operation, next, position + 1)) work.begun = position + 1
      return ended
    })
    if (outcome) return outcome
  }
  // There was no step at all.
  finish('done')
  return 'done'
}

function beginStep({ fleet }: Execution, { id }: Operation, position: number): void {
  recordStep(fleet.db, id, position, { status: 'running', startedAt: fleet.clock.now() })
}

/** Records that a step begins, unless its instance gets another status first. Returns whether it did. */
function beginNext(
  execution: Execution,
  operation: Operation,
  step: Plan['steps'][number] | undefined,
  position: number,
): boolean {
  if (!step || !isOpen(execution.fleet.db, operation.id)) return false
  if (changesStatus(execution, operation, step.status)) return false
  beginStep(execution, operation, position)
  return true
}

/** Whether a step first gives its instance another status. */
function changesStatus({ fleet }: Execution, operation: Operation, status: InstanceStatus | undefined) {
  return status !== undefined && isOther(getInstance(fleet.db, operation.instanceId), status)
}

/** Records that a volume is the instance's own, once it says so itself. */
function keepMark({ execution: { fleet }, operation: { instanceId } }: Work, name: StepName): void {
  if (name === 'prepare volume')
    updateInstance(fleet.db, instanceId, { volumeMarkedAt: fleet.clock.now(), volumePermit: null })
}

/** Records the image and the settings of a container. Returns true when an upgrade finds that there is nothing to do. */
function pin(
  { execution: { fleet }, operation, instance, context, settings, variables, pinAfter }: Work,
  name: StepName,
) {
  if (name === 'create container') {
    keepSettings(fleet, instance, settings)
    updateInstance(fleet.db, instance.id, { variables })
  }
  const { image, imageId } = context.spec
  const alreadyThere = name === 'prepare image' && isUpgradeToTheSame(operation, instance, imageId)
  if (alreadyThere) updateInstance(fleet.db, instance.id, { image, imageId })
  else if (name === pinAfter && !context.undoing)
    pinImage(fleet, operation, { image, imageId }, context.replacedImageId)
  return alreadyThere
}

function recordFailure({ fleet }: Execution, { instanceId }: Operation, { error, reason }: Failure): void {
  setStatus(fleet, instanceId, error instanceof ChecksFailError ? 'unhealthy' : 'failed', reason)
  if (error instanceof VolumeError) updateInstance(fleet.db, instanceId, { volumeFault: error.fault })
}

/** Records which settings a container was made with; null when the instance's own changed meanwhile. */
function keepSettings({ db }: Fleet, made: Instance, settings: string): void {
  const current = sameLimits(getInstance(db, made.id), made)
  updateInstance(db, made.id, { settings: current ? settings : null })
}

/** Whether an upgrade is to the image that the instance already has. Then there is nothing to do. */
function isUpgradeToTheSame({ kind }: Operation, instance: Instance, imageId: string | null): boolean {
  const isStable = ['running', 'unhealthy', 'stopped'].includes(instance.status)
  return kind === 'upgrade' && isStable && imageId !== null && imageId === instance.imageId
}

/** Ends an operation and records what follows from it in one transaction, unless a newer one superseded it. */
function end({ fleet }: Execution, operation: Operation, change: () => void): void {
  const { db } = fleet
  db.transaction(() => {
    if (!isOpen(db, operation.id)) return
    change()
    announceEnd(fleet, operation.id)
  })
}

/** Records what a succeeded operation means for its instance. */
function recordSuccess({ fleet, health }: Execution, operation: Operation, plan: Plan): void {
  const { db, clock } = fleet
  const { instanceId, kind } = operation
  if (plan.end === 'deleted') {
    if (kind === 'purge') removeRollback(db, instanceId)
    beginRetention(db, instanceId, clock.now())
    if (kind === 'purge') {
      updateInstance(db, instanceId, { purgedAt: clock.now() })
      forgetVariables(db, instanceId)
    }
    health.forget(instanceId)
  }
  if (plan.end === 'running') markReady(fleet, instanceId)
  setStatus(fleet, instanceId, plan.end)
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
