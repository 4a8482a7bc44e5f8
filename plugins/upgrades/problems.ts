import { defineProblem } from '../../src/http/problem.ts'

export const unknownUpgrade = defineProblem('unknown-fleet-upgrade', 404, 'No such fleet upgrade')
export const upgradeInProgress = defineProblem(
  'fleet-upgrade-in-progress',
  409,
  'A fleet upgrade is in progress',
)
export const nothingToUpgrade = defineProblem('nothing-to-upgrade', 409, 'Nothing to upgrade')
export const noImages = defineProblem('no-images', 409, 'There are no images here')
