import { defineProblem } from '../../src/http/problem.ts'

export const unknownToken = defineProblem('unknown-token', 404, 'No such token')
export const noMoreTokens = defineProblem('too-many-tokens', 409, 'Too many tokens')
