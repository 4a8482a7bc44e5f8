import { defineProblem } from '../../src/http/problem.ts'

export const unknownToken = defineProblem('unknown-token', 404, 'No such token')
export const noMoreTokens = defineProblem('too-many-tokens', 409, 'Too many tokens')
export const scopeTooSmall = defineProblem('scope-too-small', 403, 'The token may not do this')
export const personNeeded = defineProblem('person-needed', 403, 'Only a person may do this')
