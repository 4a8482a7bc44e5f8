import { defineProblem } from '../../src/http/problem.ts'

export const scopeTooSmall = defineProblem('scope-too-small', 403, 'The token’s scope is too small')
export const personNeeded = defineProblem('person-needed', 403, 'This needs a signed-in person')
