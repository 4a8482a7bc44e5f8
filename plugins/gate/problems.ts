import { defineProblem } from '../../src/http/problem.ts'

export const noGate = defineProblem('no-gate', 404, 'There is no gate at this address')
export const notLetIn = defineProblem('not-let-in', 403, 'You may not open this instance')
export const gateElsewhere = defineProblem('gate-elsewhere', 409, 'Gates are not available on this site')
