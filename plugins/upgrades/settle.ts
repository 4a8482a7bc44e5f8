import type { UpgradeSubject, UpgradeWork } from '../provisioner/contract.ts'
import type { MemberStatus } from './contract.ts'
import type { FleetUpgrade, Member } from './schema.ts'

/** Whether an instance is what it should be, and nothing is about to change that. */
export function isSettled({ wanted, status }: UpgradeSubject): boolean {
  return wanted === status
}

/**
 * What became of an instance since it was looked at last: how the operation ended that was opened for it, or whether it is still
 * healthy after its upgrade. Null while that is as it was.
 */
export function settled(
  work: Pick<UpgradeWork, 'outcome'>,
  { imageId }: Pick<FleetUpgrade, 'imageId'>,
  member: Member,
  subject: UpgradeSubject | undefined,
): { status: MemberStatus; reason: string | null; isOver: boolean } | null {
  const hasImage = subject?.imageId === imageId
  const over = (status: MemberStatus, reason: string | null = null) => ({ status, reason, isOver: true })
  switch (member.status) {
    case 'upgrading': {
      const outcome = work.outcome(member.operationId ?? '')
      if (isOpen(outcome)) return null
      if (outcome?.status === 'failed') return over('failed', outcome.error)
      return hasImage ? over('upgraded') : over('skipped', replaced(subject))
    }
    case 'rolling-back': {
      const outcome = work.outcome(member.undoOperationId ?? '')
      if (isOpen(outcome)) return null
      if (outcome?.status === 'failed') return over('kept', outcome.error)
      return hasImage ? over('kept', replaced(subject)) : over('rolled-back')
    }
    case 'upgraded':
    case 'unhealthy': {
      // Between two states, such as while it restarts, it stays what it was; so does one that went on to another image.
      if (!subject || !hasImage) return null
      const isBad = subject.status === 'unhealthy' || subject.status === 'failed'
      if (!isBad && !isSettled(subject)) return null
      const status = isBad ? 'unhealthy' : 'upgraded'
      if (status === member.status) return null
      return { status, reason: isBad ? subject.statusReason : null, isOver: false }
    }
    default:
      return null
  }
}

function isOpen(outcome: ReturnType<UpgradeWork['outcome']>): boolean {
  return outcome?.status === 'pending' || outcome?.status === 'running'
}

function replaced(subject: UpgradeSubject | undefined): string {
  return subject
    ? 'Another operation on it took the place of this one.'
    : 'It was deleted while this was in progress.'
}
