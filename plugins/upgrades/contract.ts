/**
 * How a fleet upgrade stands. It is open, and the only one, until it is `done`, `cancelled` or `undone`:
 * - `running`: upgrades instances, wave by wave, or waits between two waves.
 * - `paused`, `halted`: begins nothing until an operator decides; `halted` when too many instances failed.
 * - `cancelling`: begins nothing more; the upgrades in progress end.
 * - `undoing`: rolls back what it upgraded.
 */
export const fleetUpgradeStates = [
  'running',
  'paused',
  'halted',
  'cancelling',
  'undoing',
  'done',
  'cancelled',
  'undone',
] as const
export type FleetUpgradeState = (typeof fleetUpgradeStates)[number]

/**
 * How one instance stands in a fleet upgrade:
 * - `upgraded`, `unhealthy`: it has the new image, and is as it should be, or is not healthy any more.
 * - `failed`: its upgrade failed, and its previous image and data were put back.
 * - `skipped`: nothing was done, for a reason.
 * - `rolled-back`, `kept`: after an undo; `kept` has the new image still, for a reason.
 */
export const memberStatuses = [
  'waiting',
  'upgrading',
  'upgraded',
  'unhealthy',
  'failed',
  'skipped',
  'rolling-back',
  'rolled-back',
  'kept',
] as const
export type MemberStatus = (typeof memberStatuses)[number]
