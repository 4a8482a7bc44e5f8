import type { Principal } from '../../src/acting.ts'
import { newId } from '../../src/ids.ts'
import { notPossibleNow, type UpgradeSubject } from '../provisioner/contract.ts'
import type { FleetUpgrading } from './advance.ts'
import type { FleetUpgradeState } from './contract.ts'
import { nothingToUpgrade, upgradeInProgress } from './problems.ts'
import {
  membersOf,
  openUpgrade,
  requireUpgrade,
  skipWaiting,
  updateMember,
  updateUpgrade,
} from './records.ts'
import { type FleetUpgrade, fleetUpgrades, members } from './schema.ts'
import { planWaves } from './waves.ts'

export interface FleetOrder {
  image: string
  imageId: string
  /** The names of the instances of the first wave; without them it is one that runs. */
  first: readonly string[]
  parallel: number
  haltAfter: number
  soakMs: number
}

/** Records a fleet upgrade, which begins with the next round. Throws `fleet-upgrade-in-progress`, `nothing-to-upgrade`, `invalid`. */
export function startFleetUpgrade(
  { db, clock }: FleetUpgrading,
  subjects: readonly UpgradeSubject[],
  order: FleetOrder,
  by: Principal,
): FleetUpgrade {
  refuseWhileOpen(openUpgrade(db))
  const waves = planWaves(subjects, order)
  if (waves.length === 0) throw nothingToUpgrade(`Every instance has the image ${order.image} already.`)
  const now = clock.now()
  const id = newId('fup', now)
  const { image, imageId, parallel, haltAfter, soakMs } = order
  return db.transaction(tx => {
    tx.insert(fleetUpgrades)
      .values({
        ...{ id, image, imageId, parallel, haltAfter, soakMs },
        ...{ state: 'running', open: 1, wave: 1, createdAt: now },
        ...{ actorKind: by.kind, actorId: by.id, actorName: by.name },
      })
      .run()
    let position = 0
    for (const [index, { instances }] of waves.entries())
      for (const { id: instanceId, subdomain, imageId: imageIdBefore } of instances)
        tx.insert(members)
          .values({
            ...{ upgradeId: id, instanceId, subdomain, wave: index + 1, position: position++ },
            ...{ status: 'waiting', imageIdBefore: imageIdBefore ?? '' },
          })
          .run()
    return requireUpgrade(db, id)
  })
}

/** Begins no further upgrades; those in progress end. */
export function pause(parts: FleetUpgrading, id: string): void {
  change(parts, id, 'paused', ['running'])
}

/** Goes on. Failures up to now are accepted: only as many new ones halt it again. */
export function resume(parts: FleetUpgrading, id: string): void {
  const { db } = parts
  db.transaction(() => {
    change(parts, id, 'running', ['paused', 'halted'], { reason: null })
    for (const member of membersOf(db, id, ['failed', 'unhealthy']))
      updateMember(db, member, { isAccepted: true })
  })
}

/** Ends it once the upgrades in progress have ended. What was upgraded stays so. */
export function cancel(parts: FleetUpgrading, id: string): void {
  const { db, clock } = parts
  db.transaction(() => {
    change(parts, id, 'cancelling', ['running', 'paused', 'halted'], { reason: null })
    skipWaiting(db, id, 'The fleet upgrade was cancelled before its turn.', clock.now())
  })
}

/** Rolls back what was upgraded in one wave, or in every one; newest first. Nothing else is upgraded. */
export function undo(parts: FleetUpgrading, id: string, wave: number | null, by: Principal): void {
  const { db, clock } = parts
  db.transaction(() => {
    const { open } = requireUpgrade(db, id)
    if (open === null) refuseWhileOpen(openUpgrade(db))
    const all = membersOf(db, id)
    if (wave !== null && !all.some(each => each.wave === wave))
      throw notPossibleNow(`This fleet upgrade has no wave ${wave}.`)
    const undoable = ['upgrading', 'upgraded', 'unhealthy']
    if (!all.some(each => undoable.includes(each.status) && (wave === null || each.wave === wave)))
      throw notPossibleNow(
        wave === null
          ? 'It upgraded no instance that could be rolled back.'
          : `It upgraded no instance of wave ${wave} that could be rolled back.`,
      )
    change(
      parts,
      id,
      'undoing',
      ['running', 'paused', 'halted', 'cancelling', 'done', 'cancelled', 'undone'],
      {
        ...{ open: 1, finishedAt: null, reason: null, undoWave: wave },
        ...{ undoActorKind: by.kind, undoActorId: by.id, undoActorName: by.name },
      },
    )
    skipWaiting(db, id, 'The fleet upgrade was undone before its turn.', clock.now())
  })
}

const words: Record<FleetUpgradeState, string> = {
  running: 'is running',
  paused: 'is paused',
  halted: 'has halted',
  cancelling: 'is being cancelled',
  undoing: 'is being undone',
  done: 'is done',
  cancelled: 'was cancelled',
  undone: 'was undone',
}

/** Changes its state, unless it has that already. Throws `not-possible-now` when it cannot come from the state that it has. */
function change(
  { db, log }: FleetUpgrading,
  id: string,
  to: FleetUpgradeState,
  from: readonly FleetUpgradeState[],
  more: Partial<FleetUpgrade> = {},
): void {
  const { state } = requireUpgrade(db, id)
  if (state === to) return
  if (!from.includes(state)) throw notPossibleNow(`The fleet upgrade ${words[state]}.`)
  updateUpgrade(db, id, { ...more, state: to })
  log.info({ upgrade: id, from: state, to }, 'a fleet upgrade changed')
}

function refuseWhileOpen(open: FleetUpgrade | null): void {
  if (open)
    throw upgradeInProgress(
      `The fleet upgrade to ${open.image} ${words[open.state]}. Let it end, cancel it or undo it first.`,
    )
}
