import type { Concern } from '../../src/kernel/concern.ts'
import { gauge, type Metric } from '../../src/metrics/exposition.ts'
import { memberStatuses } from './contract.ts'
import { countMembers, newestUpgrade, openUpgrade, type UpgradesDb } from './records.ts'

const day = 86_400_000

/** A fleet upgrade that halted, or that could not be undone everywhere within the last day. */
export function upgradeConcerns(db: UpgradesDb, now: number): Concern[] {
  const newest = newestUpgrade(db)
  if (!newest) return []
  const { id, state, image, reason, finishedAt } = newest
  const about = { subject: id, subdomain: null, urgency: 'alert' as const, path: `/admin/upgrades/${id}` }
  if (state === 'halted')
    return [
      {
        ...about,
        kind: 'fleet-upgrade-halted',
        summary: `The fleet upgrade to ${image} has halted`,
        detail: `${reason ?? ''} No other instance is upgraded until you resume, cancel or undo it.`.trim(),
      },
    ]
  if (state === 'undone' && reason && (finishedAt ?? 0) > now - day)
    return [
      {
        ...about,
        kind: 'fleet-upgrade-kept',
        summary: `The fleet upgrade to ${image} was not undone everywhere`,
        detail: reason,
      },
    ]
  return []
}

/** The fleet upgrade that is not over. */
export function upgradeMetrics(db: UpgradesDb): Metric[] {
  const open = openUpgrade(db)
  const counts = open ? countMembers(db, [open.id]) : []
  return [
    gauge(
      'longhouse_fleet_upgrade',
      '1 for the state of the fleet upgrade that is not over.',
      open ? [[{ state: open.state }, 1]] : [],
    ),
    gauge(
      'longhouse_fleet_upgrade_instances',
      'Instances of the fleet upgrade that is not over, by how they stand in it.',
      open
        ? memberStatuses.map((status): Metric['samples'][number] => [
            { status },
            counts.filter(each => each.status === status).reduce((sum, { n }) => sum + n, 0),
          ])
        : [],
    ),
  ]
}
