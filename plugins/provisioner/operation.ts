import { and, asc, desc, eq, inArray } from 'drizzle-orm'
import { newId } from '../../src/ids.ts'
import type { ProvisionerDb } from './instance.ts'
import { type Operation, type OperationKind, operations, type Step, steps } from './schema.ts'

const open = inArray(operations.status, ['pending', 'running'])

/** An operation with its journal. */
export interface OperationRecord extends Operation {
  steps: Step[]
}

/**
 * Opens an operation; what was open for the instance is superseded. To be called in the transaction that sets the
 * desired state, so that neither is there without the other.
 */
export function openOperation(
  db: Pick<ProvisionerDb, 'insert' | 'update'>,
  instanceId: string,
  kind: OperationKind,
  stepNames: readonly string[],
  now: number,
): string {
  const id = newId('op', now)
  db.update(operations)
    .set({ status: 'superseded', finishedAt: now })
    .where(and(eq(operations.instanceId, instanceId), open))
    .run()
  db.insert(operations).values({ id, instanceId, kind, status: 'pending', createdAt: now }).run()
  const rows = stepNames.map((name, position) => ({
    operationId: id,
    position,
    name,
    status: 'pending' as const,
  }))
  db.insert(steps).values(rows).run()
  return id
}

export function openOperations(db: ProvisionerDb): Operation[] {
  return db.select().from(operations).where(open).orderBy(asc(operations.createdAt)).all()
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
  const claimed = db
    .update(operations)
    .set({ status: 'running', startedAt: now })
    .where(and(eq(operations.id, id), open))
    .run()
  if (claimed.changes === 0) return false
  // A resumed operation runs from its beginning: every step ensures rather than does.
  db.update(steps)
    .set({ status: 'pending', detail: null, startedAt: null, finishedAt: null })
    .where(eq(steps.operationId, id))
    .run()
  return true
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
