import { notPossibleNow } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { owedCopyOf } from '../records/operation.ts'
import type { Instance } from '../schema.ts'

/**
 * Throws `not-possible-now` while an instance changes owners and what the previous one left is not copied yet: other work in the
 * place of that would start it for the new owner without a copy.
 */
export function refuseBeforeCopy(fleet: Fleet, instance: Instance): void {
  const owed = owedCopyOf(fleet, instance)
  if (!owed) return
  const { subdomain } = instance
  throw notPossibleNow(
    owed.status === 'failed'
      ? `What the previous owner of "${subdomain}" left could not be backed up yet, and it does nothing else before. Nothing was changed, and the backup is retried.`
      : `What the previous owner of "${subdomain}" left is being backed up. Nothing was changed; try again when that is done.`,
  )
}
