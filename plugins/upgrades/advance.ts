import { actingAs } from '../../src/acting.ts'
import type { Clock } from '../../src/clock.ts'
import { Problem } from '../../src/http/problem.ts'
import type { Logger } from '../../src/log.ts'
import type { UpgradeSubject, UpgradeWork } from '../provisioner/contract.ts'
import type { MemberStatus } from './contract.ts'
import {
  membersOf,
  openUpgrade,
  startedBy,
  type UpgradesDb,
  undoneBy,
  updateMember,
  updateUpgrade,
} from './records.ts'
import type { FleetUpgrade, Member } from './schema.ts'
import { isSettled, settled } from './settle.ts'
import { leftOut } from './waves.ts'

export interface FleetUpgrading {
  db: UpgradesDb
  work: UpgradeWork
  clock: Clock
  log: Logger
}

const inProgress: readonly MemberStatus[] = ['upgrading', 'rolling-back']
const broken: readonly MemberStatus[] = ['failed', 'unhealthy']

/**
 * Takes the open fleet upgrade one round further. Everything that counts is in the tables, and read again each round, so that
 * a control plane that was killed at any point goes on as if nothing had happened:
 *
 * 1. Record how the operations ended that it opened, and whether what was upgraded is still healthy.
 * 2. Halt when too many instances have failed.
 * 3. Open the next operations: upgrades of the wave, or the rollbacks of an undo. A member and its operation are written in
 *    one transaction.
 * 4. When the wave is over, let `passedMs` of its pause pass; then begin the next wave, once every upgraded instance is as it
 *    should be.
 *
 * Operations that others began are waited for and never replaced.
 */
export async function advance(parts: FleetUpgrading, passedMs: number): Promise<void> {
  const { db } = parts
  const upgrade = openUpgrade(db)
  if (!upgrade) return
  const all = membersOf(db, upgrade.id)
  const subjects = new Map(
    parts.work.subjects(all.map(({ instanceId }) => instanceId)).map(each => [each.id, each]),
  )
  for (const member of all) {
    const found = settled(parts.work, upgrade, member, subjects.get(member.instanceId))
    if (!found) continue
    const { isOver, ...change } = found
    updateMember(db, member, {
      ...change,
      isAccepted: false,
      ...(isOver && { finishedAt: parts.clock.now() }),
    })
  }
  const now = membersOf(db, upgrade.id)
  switch (upgrade.state) {
    case 'running': {
      const why = reasonToHalt(upgrade, now)
      if (why) updateUpgrade(db, upgrade.id, { state: 'halted', reason: why })
      else goOn(parts, upgrade, now, subjects, passedMs)
      return
    }
    case 'cancelling':
      if (!now.some(({ status }) => inProgress.includes(status))) close(parts, upgrade, 'cancelled', null)
      return
    case 'undoing':
      return await rollBackNext(parts, upgrade, now, subjects)
  }
}

/** Whether a wave is over, and only its pause goes on. */
export function isSoaking(upgrade: FleetUpgrade, all: readonly Pick<Member, 'wave' | 'status'>[]): boolean {
  const isOver = !all.some(
    ({ wave, status }) => wave <= upgrade.wave && (status === 'waiting' || status === 'upgrading'),
  )
  return upgrade.state === 'running' && isOver && all.some(({ wave }) => wave > upgrade.wave)
}

/** Why it must begin nothing more; null when it may go on. */
function reasonToHalt({ haltAfter, wave }: FleetUpgrade, all: readonly Member[]): string | null {
  const bad = all.filter(({ status, isAccepted }) => broken.includes(status) && !isAccepted)
  if (bad.length === 0) return null
  const names = bad
    .slice(-5)
    .map(({ subdomain }) => subdomain)
    .join(', ')
  if (bad.length >= haltAfter)
    return `${bad.length} ${bad.length === 1 ? 'instance' : 'instances'} failed or became unhealthy (${names}); it halts at ${haltAfter}.`
  const of = all.filter(each => each.wave === wave)
  const over = !of.some(({ status }) => status === 'waiting' || status === 'upgrading')
  if (over && !of.some(({ status }) => status === 'upgraded') && of.some(each => bad.includes(each)))
    return `No instance of wave ${wave} could be upgraded (${names}).`
  return null
}

/** Opens the next upgrades of the wave, or goes on to the next wave. */
function goOn(
  parts: FleetUpgrading,
  upgrade: FleetUpgrade,
  all: readonly Member[],
  subjects: ReadonlyMap<string, UpgradeSubject>,
  passedMs: number,
): void {
  const { db } = parts
  const waiting = all.filter(({ wave, status }) => wave <= upgrade.wave && status === 'waiting')
  let free = upgrade.parallel - all.filter(({ status }) => status === 'upgrading').length
  for (const member of waiting) {
    if (free <= 0) return
    if (upgradeOne(parts, upgrade, member, subjects.get(member.instanceId)) === 'upgrading') free--
  }
  const rest = membersOf(db, upgrade.id)
  if (rest.some(({ wave, status }) => wave <= upgrade.wave && ['waiting', 'upgrading'].includes(status)))
    return
  if (!rest.some(({ wave }) => wave > upgrade.wave)) {
    close(parts, upgrade, 'done', null)
    return
  }
  const upgraded = rest.filter(({ status }) => status === 'upgraded')
  const pauseMs = upgraded.some(({ wave }) => wave === upgrade.wave) ? upgrade.soakMs : 0
  const soakedMs = upgrade.soakedMs + Math.round(passedMs)
  if (soakedMs < pauseMs) {
    updateUpgrade(db, upgrade.id, { soakedMs })
    return
  }
  const unsettled = upgraded.some(({ instanceId }) => {
    const subject = subjects.get(instanceId)
    return subject && !isSettled(subject)
  })
  if (!unsettled) updateUpgrade(db, upgrade.id, { wave: upgrade.wave + 1, soakedMs: 0 })
}

/** Begins the upgrade of one instance, skips it, or leaves it waiting; says which. */
function upgradeOne(
  { db, work, clock }: FleetUpgrading,
  upgrade: FleetUpgrade,
  member: Member,
  subject: UpgradeSubject | undefined,
): MemberStatus {
  const skip = (reason: string) => {
    updateMember(db, member, { status: 'skipped', reason, finishedAt: clock.now() })
    return 'skipped' as const
  }
  if (!subject || subject.wanted === 'deleted') return skip('It was removed.')
  if (subject.work !== null) return 'waiting'
  if (subject.imageId === upgrade.imageId) return skip('It has this image already.')
  if (subject.imageId !== member.imageIdBefore)
    return skip('It was given another image after the fleet upgrade was started. Upgrade it by itself.')
  const why = leftOut(subject)
  if (why) return skip(why)
  if (!isSettled(subject)) return 'waiting'
  const { image, imageId } = upgrade
  const opened = (operationId: string) =>
    updateMember(db, member, { status: 'upgrading', operationId, startedAt: clock.now() })
  try {
    actingAs(startedBy(upgrade), () => work.upgrade(member.instanceId, { image, imageId, opened }))
    return 'upgrading'
  } catch (error) {
    // Since it was looked at, other work on it has begun; the next round sees it.
    if (error instanceof Problem) return 'waiting'
    throw error
  }
}

/** Begins the next rollbacks, those of the instances that were upgraded last; ends when there are none left. */
async function rollBackNext(
  parts: FleetUpgrading,
  upgrade: FleetUpgrade,
  all: readonly Member[],
  subjects: ReadonlyMap<string, UpgradeSubject>,
): Promise<void> {
  const { db } = parts
  const left = all
    .filter(
      ({ wave, status }) => isUndone(upgrade, wave) && (status === 'upgraded' || status === 'unhealthy'),
    )
    .sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || b.position - a.position)
  let busy = all.filter(({ status }) => inProgress.includes(status)).length
  let waits = false
  for (const member of left) {
    if (busy >= upgrade.parallel) return
    const status = await rollBackOne(parts, upgrade, member, subjects.get(member.instanceId))
    if (status === 'rolling-back') busy++
    if (status === 'waiting') waits = true
  }
  if (busy > 0 || waits) return
  const kept = membersOf(db, upgrade.id, ['kept']).filter(({ wave }) => isUndone(upgrade, wave))
  const names = kept.map(({ subdomain }) => subdomain)
  close(parts, upgrade, 'undone', kept.length > 0 ? `Not rolled back: ${names.join(', ')}.` : null)
}

function isUndone({ undoWave }: FleetUpgrade, wave: number): boolean {
  return undoWave === null || wave === undoWave
}

async function rollBackOne(
  { db, work, clock }: FleetUpgrading,
  upgrade: FleetUpgrade,
  member: Member,
  subject: UpgradeSubject | undefined,
): Promise<'rolling-back' | 'waiting' | 'ended'> {
  const end = (status: 'kept' | 'rolled-back', reason: string) => {
    updateMember(db, member, { status, reason, finishedAt: clock.now() })
    return 'ended' as const
  }
  if (!subject || subject.wanted === 'deleted') return end('kept', 'It was removed.')
  if (subject.work !== null) return 'waiting'
  if (subject.imageId === member.imageIdBefore)
    return end('rolled-back', 'It was rolled back by itself already.')
  const undoes = member.operationId
  if (undoes === null || subject.undoes !== undoes)
    return end(
      'kept',
      'It was upgraded again, or its previous data are no longer kept. Restore a backup instead.',
    )
  const opened = (undoOperationId: string) =>
    updateMember(db, member, { status: 'rolling-back', undoOperationId, reason: null })
  try {
    await actingAs(undoneBy(upgrade), () => work.rollBack(member.instanceId, { undoes, opened }))
    return 'rolling-back'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (work.subjects([member.instanceId])[0]?.work) return 'waiting'
    return end('kept', error.detail)
  }
}

function close(
  { db, clock, log }: FleetUpgrading,
  { id, image }: FleetUpgrade,
  state: 'done' | 'cancelled' | 'undone',
  reason: string | null,
): void {
  updateUpgrade(db, id, { state, reason, open: null, finishedAt: clock.now() })
  log.info({ upgrade: id, image, state, reason }, 'a fleet upgrade ended')
}
