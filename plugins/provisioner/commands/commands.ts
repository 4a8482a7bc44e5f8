import { timestamp } from '../../../src/clock.ts'
import { newId } from '../../../src/ids.ts'
import { notPossibleNow, type OperationKind, type Remover } from '../contract.ts'
import { suspended } from '../problems.ts'
import type { Fleet } from '../records/fleet.ts'
import { getInstance, requireInstance, updateInstance, wanted } from '../records/instance.ts'
import {
  type Accepted,
  findOperation,
  openOperation,
  openOperationOf,
  owedCopyOf,
  owesUndo,
  reopenUndo,
} from '../records/operation.ts'
import { covers, planOf } from '../records/plan.ts'
import { beginRemoval, endRemoval, updateRemoval } from '../records/removal.ts'
import { endSuspension } from '../records/suspension.ts'
import { type Instance, instances } from '../schema.ts'
import { type NameRequest, returningInstance, seeFor } from './name-hold.ts'
import { refuseBeforeCopy } from './owed-copy.ts'
import { newPassword } from './password.ts'

export interface ProvisionRequest extends NameRequest {
  image: string
  /**
   * The copy that its volume is made from, the instances whose keys open the secrets in it, and whether its owner is another one than
   * the copy's. Without it, the volume is empty.
   */
  copy?: { id: string; secretsOf: readonly string[]; isHandedOver: boolean }
}

/**
 * Requests an instance and opens the operation that provisions it. A subdomain in retention goes back to its owner, with its
 * volume and a new password; for anyone else the name is held. The password is returned here and stored
 * nowhere. `admit` throws why there may be none after all; what it writes stands or falls with the record.
 */
export async function provision(
  fleet: Fleet,
  request: ProvisionRequest,
  admit: (previous: Instance | null) => void = () => {},
): Promise<Accepted & { password: string }> {
  const { db, clock, driver } = fleet
  // Checked before the hash, which takes a while, and again after it: another request may have taken the name.
  returningInstance(fleet, request, await seeFor(fleet, request))
  const { password, passwordHash } = await newPassword()
  const sight = await seeFor(fleet, request)
  return db.transaction(tx => {
    const previous = returningInstance(fleet, request, sight)
    admit(previous)
    const now = clock.now()
    const { ownerEmail, image, account } = request
    const wish = {
      desired: 'running',
      status: 'provisioning',
      statusReason: null,
      ownerEmail,
      image,
      imageId: null,
      passwordHash,
      // An instance that the operator brings back stays in its owner's account.
      ...(account && { accountId: account.id }),
    } as const
    const instanceId = previous?.id ?? newId('inst', now)
    if (previous) {
      updateInstance(db, previous.id, { ...wish, driver: driver.name })
      endRemoval(db, previous)
      endSuspension(db, previous.id)
    } else {
      tx.insert(instances)
        .values({
          ...wish,
          id: instanceId,
          subdomain: request.subdomain,
          billed: account !== null,
          driver: driver.name,
          createdAt: now,
          ...(request.adopt && { volumePermit: 'adopt' as const }),
          ...(request.copy && { pendingCopyId: request.copy.id, secretsOf: [...request.copy.secretsOf] }),
          ...(request.copy?.isHandedOver && { handedOverAt: now }),
        })
        .run()
    }
    const operationId = open(fleet, instanceId, 'provision')
    const { subdomain } = request
    fleet.changed({ instanceId, subdomain, change: 'provision', operationId, result: 'accepted' })
    return { instanceId, operationId, password }
  })
}

/** What can be requested of an instance by its name alone. */
export type RequestedKind = Exclude<
  OperationKind,
  'provision' | 'rollback' | 'restore' | 'restore-new' | 'reset-password' | 'transfer'
>

/**
 * Sets the desired state that an operation stands for and opens it, unless one that does the same is open already.
 * `image` is what an upgrade brings; it becomes the instance's own once it is known to exist. `by` is who removes it.
 * `withoutCopy`: a purge deletes the data even if no copy of them can be made, and a start skips the copy for a new owner that failed.
 */
export function request(
  fleet: Fleet,
  subdomain: string,
  kind: RequestedKind,
  {
    image,
    by = 'operator',
    withoutCopy = false,
  }: { image?: string | undefined; by?: Remover; withoutCopy?: boolean } = {},
): Accepted {
  const { db, clock } = fleet
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    const open_ = openOperationOf(db, instance.id)
    refuseIfImpossible(instance, kind)
    const owed = owedCopyOf(fleet, instance)
    const before = wanted(instance)
    const { desired } = planOf(kind, before)
    if (kind === 'upgrade' && before === 'stopped' && open_ && open_.kind !== kind)
      throw notPossibleNow(`"${subdomain}" is being stopped; try again when that is done.`)
    // A permit is for the start that it was given for: it ends when the instance is no longer to run.
    const permit = desired === 'running' || desired === null ? {} : { volumePermit: null }
    if (desired !== null) updateInstance(db, instance.id, { desired, ...permit })
    if (desired === 'deleted') beginRemoval(db, instance, by)
    if (withoutCopy && kind === 'purge') updateRemoval(db, instance.id, { withoutCopyAt: clock.now() })
    if (open_ && covers(open_.kind, kind, before) && !image)
      return { instanceId: instance.id, operationId: open_.id }
    if (!open_ && isDone(instance, kind)) return { instanceId: instance.id, operationId: null }
    // The data of a removed one stay as they are: a copy that is made later is the same. A purge makes its own.
    if (owed && kind === 'deprovision') fleet.copies()?.request(instance, 'transfer')
    const repeats = owed?.status === 'failed' && repeatsTransfer(kind)
    if (desired !== 'deleted' && !repeats) refuseBeforeCopy(fleet, instance)
    if (kind === 'purge')
      updateRemoval(db, instance.id, {
        purgeRequestedAt: instance.removal?.purgeRequestedAt ?? clock.now(),
      })
    const skips = owed !== null && kind === 'start' && withoutCopy
    const operationId = open(fleet, instance.id, repeats && !skips ? 'transfer' : kind, image)
    const losses = kind === 'purge' && withoutCopy ? lossWords(fleet, instance) : null
    const skipped = skips ? 'without a backup of what the previous owner left' : null
    const detail = losses ?? skipped ?? (image === undefined ? '' : `image ${image}`)
    fleet.changed({
      instanceId: instance.id,
      subdomain,
      change: kind,
      operationId,
      result: 'accepted',
      detail,
    })
    return { instanceId: instance.id, operationId }
  })
}

/** What is lost with the data of an instance when no copy of them is made first, in words. */
export function lossWords(fleet: Fleet, { id }: Pick<Instance, 'id'>): string {
  const kept = fleet
    .copies()
    ?.overview(id)
    .copies.find(({ status, reason }) => status === 'kept' && reason !== 'upload')
  if (!kept) return 'there is no backup of its data: everything is lost'
  return `its newest backup was begun at ${timestamp(kept.createdAt)}: everything since then is lost`
}

function open(fleet: Fleet, instanceId: string, asked: OperationKind, image?: string): string {
  const { db, clock } = fleet
  const { pendingCopyId, ...instance } = getInstance(db, instanceId)
  const last = instance.operationId === null ? null : findOperation(db, instance.operationId)
  // A start would run the new version on what is to be undone.
  if (asked === 'start' && last && owesUndo(last, planOf(last.kind, wanted(instance)))) {
    reopenUndo(db, last)
    return last.id
  }
  // One that is to be made from a copy never starts empty.
  const restores = pendingCopyId !== null && planOf(asked, 'running').end === 'running'
  const kind = restores ? 'restore-new' : asked
  const operation = { instanceId, kind, image: image ?? null, copyId: restores ? pendingCopyId : null }
  return openOperation(fleet, operation, clock.now(), planOf(kind, wanted(instance)))
}

/** What repeats a transfer that failed before it had made its copy, rather than just the start or the stop in it. */
function repeatsTransfer(kind: OperationKind): boolean {
  return kind === 'start' || kind === 'stop' || kind === 'restart'
}

function isDone({ status }: Instance, kind: OperationKind): boolean {
  return (
    (kind === 'start' && status === 'running') ||
    (kind === 'stop' && status === 'stopped') ||
    (kind === 'deprovision' && status === 'deleted')
  )
}

/** Throws when an instance cannot do this while it is removed or suspended. */
export function refuseIfImpossible({ subdomain, desired, suspension }: Instance, kind: OperationKind): void {
  if (desired === 'deleted' && kind !== 'deprovision' && kind !== 'purge') {
    throw notPossibleNow(
      `"${subdomain}" is deprovisioned; provision it again for its owner to bring it back.`,
    )
  }
  if (suspension && planOf(kind, 'running').end === 'running')
    throw suspended(`"${subdomain}" does not run for now: ${suspension.reason}`)
}
