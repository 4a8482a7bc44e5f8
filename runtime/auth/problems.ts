import { defineProblem } from '../../src/http/problem.ts'

export const scopeTooSmall = defineProblem('scope-too-small', 403, 'The token may not do this')
export const personNeeded = defineProblem('person-needed', 403, 'Only a person may do this')
