import { and, asc, desc, eq, inArray, sql } from 'drizzle-orm'
import { currentPrincipal, type Principal } from '../../../src/acting.ts'
import { newId } from '../../../src/ids.ts'
import type { InstanceChange } from '../contract.ts'
import { type Instance, instances, type Operation, operations, type Step, steps } from '../schema.ts'
import type { Fleet } from './fleet.ts'
import { getInstance, type ProvisionerDb } from './instance.ts'
import { type Plan, planOf, type StepName } from './plan.ts'

// Literals, not bound values: only then does SQLite use the partial index of open operations.
const open = sql`${operations.status} in ('pending', 'running')`

/** What a command answers. */
export interface Accepted {
  instanceId: string
  /** The operation in progress; null when there was nothing to do. */
  operationId: string | null
}

/** Where operations are recorded, and what records how they end. */
export interface OperationParts {
  db: ProvisionerDb
  changed(change: InstanceChange): void
}

/** An operation with its journal. */
export interface OperationRecord extends Operation {
  steps: Step[]
}

/**
 * Opens an operation and supersedes the one that was open for the instance. Call it in the transaction that sets the desired
 * state, so that neither exists without the other. Without `plan`, it does what it does for an instance that should run.
 */
export function openOperation(
  parts: OperationParts,
  {
    instanceId,
    kind,
    image,
    imageId = null,
    copyId = null,
  }: Pick<Operation, 'instanceId' | 'kind' | 'image'> & Partial<Pick<Operation, 'copyId' | 'imageId'>>,
  now: number,
  plan: Plan = planOf(kind, 'running'),
): string {
  const { db } = parts
  const id = newId('op', now)
  const before = openOperationOf(db, instanceId)
  if (before) {
    db.update(operations)
      .set({ status: 'superseded', finishedAt: now })
      .where(and(eq(operations.instanceId, instanceId), open))
      .run()
    announceEnd(parts, before.id, `by ${kind} ${id}`)
  }
  const { kind: actorKind = null, id: actorId = null, name: actorName = null } = currentPrincipal() ?? {}
  const actor = { actorKind, actorId, actorName }
  db.insert(operations)
    .values({ id, instanceId, kind, image, imageId, copyId, status: 'pending', createdAt: now, ...actor })
    .run()
  db.update(instances).set({ operationId: id }).where(eq(instances.id, instanceId)).run()
  const rows = plan.steps.map(({ name }, position) => ({
    operationId: id,
    position,
    name,
    status: 'pending' as const,
  }))
  db.insert(steps).values(rows).run()
  return id
}

const results = { succeeded: 'done', failed: 'failed', superseded: 'superseded' } as const

/** Announces how work ended that someone decided on; `detail` says it where the operation has no error. */
export function announceEnd({ db, changed }: OperationParts, id: string, detail = ''): void {
  const ended = findOperation(db, id)
  const principal = ended && actorOf(ended)
  if (!principal || principal.id === reconcilerPrincipal.id) return
  const { instanceId, kind, status, error } = ended
  changed({
    ...{ instanceId, subdomain: getInstance(db, instanceId).subdomain, change: kind, operationId: id },
    ...{ result: status in results ? results[status as keyof typeof results] : 'failed' },
    ...{ detail: error ?? detail, principal, via: 'operation' },
  })
}

/** Who asked for an operation; null when that was not recorded. */
export function actorOf({
  actorKind,
  actorId,
  actorName,
}: Pick<Operation, 'actorKind' | 'actorId' | 'actorName'>): Principal | null {
  return actorKind === null ? null : { kind: actorKind, id: actorId ?? '', name: actorName ?? '' }
}

/** The reconciler, when it keeps an instance as it was decided. */
export const reconcilerPrincipal: Principal = { kind: 'timer', id: 'reconciler', name: 'the reconciler' }

/** The oldest open operations. */
export function openOperations(db: ProvisionerDb, limit: number): Operation[] {
  return db.select().from(operations).where(open).orderBy(asc(operations.createdAt)).limit(limit).all()
}

/** The ids of the instances with an open operation. */
export function instancesAtWork(db: ProvisionerDb): Set<string> {
  const rows = db.select({ id: operations.instanceId }).from(operations).where(open).all()
  return new Set(rows.map(({ id }) => id))
}

/** How the newest operations of an instance ended, newest first. */
export function recentOutcomes(
  db: ProvisionerDb,
  instanceId: string,
  limit: number,
): Pick<Operation, 'status' | 'permanent' | 'finishedAt'>[] {
  return db
    .select({ status: operations.status, permanent: operations.permanent, finishedAt: operations.finishedAt })
    .from(operations)
    .where(eq(operations.instanceId, instanceId))
    .orderBy(desc(operations.createdAt), desc(operations.id))
    .limit(limit)
    .all()
}

export function openOperationOf(db: ProvisionerDb, instanceId: string): Operation | null {
  return (
    db
      .select()
      .from(operations)
      .where(and(eq(operations.instanceId, instanceId), open))
      .get() ?? null
  )
}

/** Claims an open operation for execution; false when it was finished or superseded in the meantime. */
export function claimOperation(db: ProvisionerDb, id: string, now: number): boolean {
  return db.transaction(tx => {
    const claimed = tx
      .update(operations)
      .set({ status: 'running', startedAt: now })
      .where(and(eq(operations.id, id), open))
      .run()
    if (claimed.changes === 0) return false
    // A resumed operation runs from its beginning: every step ensures rather than does. What failed stays in the journal.
    const { error } =
      tx.select({ error: operations.error }).from(operations).where(eq(operations.id, id)).get() ?? {}
    if (!error)
      tx.update(steps)
        .set({ status: 'pending', detail: null, startedAt: null, finishedAt: null })
        .where(eq(steps.operationId, id))
        .run()
    return true
  })
}

/** Records why an open operation failed, and the steps that undo what it did. From then on only these are carried out. */
export function beginUndo(
  db: ProvisionerDb,
  id: string,
  error: string,
  first: number,
  names: readonly string[],
): void {
  db.transaction(tx => {
    tx.update(operations)
      .set({ error })
      .where(and(eq(operations.id, id), open))
      .run()
    const rows = names.map((name, index) => ({
      ...{ operationId: id, position: first + index, name },
      status: 'pending' as const,
    }))
    tx.insert(steps).values(rows).onConflictDoNothing().run()
  })
}

const undoFailed = '\nUndoing failed too: '

/** Adds to the words of why an operation failed that undoing it failed as well, and what becomes of that. */
export function withFailedUndo(
  error: string,
  { step, reason, permanent }: { step: string; reason: string; permanent: boolean },
): string {
  const next = permanent
    ? 'Fix the cause, then start the instance.'
    : 'Nothing was deleted, and it is retried. Fix the cause: free space if the disk is full.'
  return `${error}${undoFailed}${step}: ${reason}\n${next}`
}

const putsBack = new Set<StepName>(['put back data', 'put back image and data'])

/**
 * Whether an operation failed and has not put back yet what was there before it. Until it has, nothing else may start or
 * stop the instance by itself: the instance would run on data that are still to be undone. `plan` is what the operation
 * would do now; only the same plan can undo it.
 */
export function owesUndo({ status, steps: journal }: OperationRecord, plan: Plan): boolean {
  if (status !== 'failed' || !plan.steps.every(({ name }, index) => journal[index]?.name === name))
    return false
  const undoing = journal.slice(plan.steps.length)
  return undoing.some(step => putsBack.has(step.name as StepName) && step.status !== 'done')
}

/**
 * Returns the operation that gives an instance to another owner and has made no copy yet of what the previous one left: the new
 * owner gets nothing before that. Null for any other, and where no copies are made.
 */
export function owedCopyOf(
  { db, copies }: Pick<Fleet, 'db' | 'copies'>,
  { operationId }: Pick<Instance, 'operationId'>,
): OperationRecord | null {
  const last = operationId === null ? null : findOperation(db, operationId)
  if (last?.kind !== 'transfer' || last.status === 'succeeded' || copies() === null) return null
  return last.steps.some(({ name, status }) => name === 'copy data' && status !== 'done') ? last : null
}

/** Opens an operation again that owes its undo. Only what undoes it is carried out. The caller knows that no other is open. */
export function reopenUndo(db: ProvisionerDb, { id, error }: Pick<Operation, 'id' | 'error'>): void {
  const [cause = ''] = (error ?? '').split(undoFailed)
  db.update(operations)
    .set({ status: 'pending', finishedAt: null, error: cause })
    .where(and(eq(operations.id, id), eq(operations.status, 'failed')))
    .run()
}

export function isOpen(db: ProvisionerDb, id: string): boolean {
  return (
    db
      .select({ id: operations.id })
      .from(operations)
      .where(and(eq(operations.id, id), open))
      .get() !== undefined
  )
}

export function finishOperation(
  db: ProvisionerDb,
  id: string,
  end: { status: 'succeeded' } | { status: 'failed'; error: string; permanent: boolean },
  now: number,
): void {
  db.update(operations)
    .set({ ...end, finishedAt: now })
    .where(and(eq(operations.id, id), open))
    .run()
}

export function recordStep(
  db: ProvisionerDb,
  operationId: string,
  position: number,
  change: Partial<Step>,
): void {
  db.update(steps)
    .set(change)
    .where(and(eq(steps.operationId, operationId), eq(steps.position, position)))
    .run()
}

export function findOperation(db: ProvisionerDb, id: string): OperationRecord | null {
  const operation = db.select().from(operations).where(eq(operations.id, id)).get()
  return operation ? withSteps(db, operation) : null
}

/** Newest first. */
export function operationsOf(db: ProvisionerDb, instanceId: string, limit: number): OperationRecord[] {
  return db
    .select()
    .from(operations)
    .where(eq(operations.instanceId, instanceId))
    .orderBy(desc(operations.createdAt), desc(operations.id))
    .limit(limit)
    .all()
    .map(operation => withSteps(db, operation))
}

/** Operations with their journals by the id of their instance; in two queries for all. */
export function lastOperationsOf(
  db: ProvisionerDb,
  operationIds: readonly string[],
): ReadonlyMap<string, OperationRecord> {
  const ids = sql`(select value from json_each(${JSON.stringify(operationIds)}))`
  const records = new Map<string, OperationRecord>()
  for (const operation of db.select().from(operations).where(inArray(operations.id, ids)).all())
    records.set(operation.id, { ...operation, steps: [] })
  const journal = db
    .select()
    .from(steps)
    .where(inArray(steps.operationId, ids))
    .orderBy(asc(steps.operationId), asc(steps.position))
    .all()
  for (const step of journal) records.get(step.operationId)?.steps.push(step)
  return new Map([...records.values()].map(record => [record.instanceId, record]))
}

/** Forgets all but the newest `keep` operations of each instance. */
export function pruneOperations(db: ProvisionerDb, keep: number): void {
  const old = sql`(select id from (select id, status, row_number() over (partition by instance_id order by created_at desc, id desc) as age from ${operations}) where age > ${keep} and status not in ('pending', 'running'))`
  db.transaction(tx => {
    tx.delete(steps).where(inArray(steps.operationId, old)).run()
    tx.delete(operations).where(inArray(operations.id, old)).run()
  })
}

function withSteps(db: ProvisionerDb, operation: Operation): OperationRecord {
  return {
    ...operation,
    steps: db
      .select()
      .from(steps)
      .where(eq(steps.operationId, operation.id))
      .orderBy(asc(steps.position))
      .all(),
  }
}
