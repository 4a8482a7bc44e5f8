import { principalWords } from '../../../views/components/principal-words.ts'
import type { InstanceProps } from '../../../views/operator/instance/instance.tsx'
import { operationTitles } from '../../../views/operator/operation-titles.ts'
import { lossWords } from '../commands/commands.ts'
import type { Fleet } from '../records/fleet.ts'
import { actorOf, findOperation, type OperationRecord } from '../records/operation.ts'
import type { Instance } from '../schema.ts'

/** An operation as the page of its instance shows it. */
export function operationView(
  operation: OperationRecord,
  { handedOverAt }: Instance,
  now: number,
): InstanceProps['operations'][number] {
  const { id, kind, status, createdAt, startedAt, finishedAt, steps } = operation
  const actor = actorOf(operation)
  // A change of owner is carried out as a new password, opened in the same moment.
  const ownerChanged = (kind === 'reset-password' || kind === 'transfer') && createdAt === handedOverAt
  return {
    id,
    actor: actor && principalWords(actor, 'its owner'),
    title: ownerChanged ? 'Change owner' : operationTitles[kind],
    status,
    error: operation.error,
    createdAt,
    durationMs: startedAt === null ? null : (finishedAt ?? now) - startedAt,
    steps: steps.map(step => ({
      name: step.name,
      state: step.status === 'pending' && operation.finishedAt !== null ? 'skipped' : step.status,
      durationMs: step.startedAt === null ? null : (step.finishedAt ?? now) - step.startedAt,
      detail: step.detail,
    })),
  }
}

/** What is lost if the data are deleted without a copy, where a deletion failed because none could be made; else null. */
export function lostWithoutCopy(fleet: Fleet, instance: Instance): string | null {
  const last = instance.operationId ? findOperation(fleet.db, instance.operationId) : null
  if (last?.kind !== 'purge' || last.status !== 'failed') return null
  const isCopy = last.steps.some(({ name, status }) => name === 'copy data' && status === 'failed')
  return isCopy ? lossWords(fleet, instance) : null
}
