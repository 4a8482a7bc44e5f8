import { defineProblem } from '../../src/http/problem.ts'

export const misdirected = defineProblem('misdirected', 421, 'The request is for another instance')
export const starting = defineProblem('starting', 503, 'The instance is starting')
