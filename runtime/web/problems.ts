import { defineProblem } from '../../src/http/problem.ts'

export const misdirected = defineProblem('misdirected', 421, 'Another instance answers here')
export const starting = defineProblem('starting', 503, 'The instance is starting')
