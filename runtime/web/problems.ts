import { defineProblem } from '../../src/http/problem.ts'

export const misdirected = defineProblem('misdirected', 421, 'Another instance answers here')
export const starting = defineProblem('starting', 503, 'The instance is starting')
export const noRemote = defineProblem('no-remote', 409, 'No remote is connected')
export const unknownRun = defineProblem('unknown-run', 404, 'No such run')
